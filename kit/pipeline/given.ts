/**
 * Given rows, when an input comes, then these messages: the tests of deciders, without a database.
 *
 *   const service = { tables, commands, messages }                     // or the service's definition
 *
 *   given(service, stock.insert({ sku: 'LAMP', onHand: 5, … }))        // rows that are there, as inserts of their tables
 *     .when(ReserveStock({ orderId, lines }))                          // a message …
 *     .then(StockReserved({ orderId }))                                // … is accepted and says exactly this, in order
 *     .when(command<AdjustStockCommand>('AdjustStock', { … }), { now, id, requestId })
 *     .thenRejected('stock-reserved')                                  // nothing has changed
 *     .when(due<Deadline>('deadline', { … }))                          // a timer; `finished(type, data, result)` for an effect
 *     .thenUnchanged()                                                 // accepted; no change, message or task
 *
 * `then(StockRejected)` compares the type only; `thenAccepted()` compares nothing. Everything but `then…` can be read at any point: `row(stock, 'LAMP')`,
 * `rows(stock)`, and of the last decision `decision`, `changes`, `messages`, `tasks`, `reply`, `rejection`. No step changes an
 * earlier one, so a test may branch. Do not await or return what `when` gives: it has a `then`. What `then` gives has none.
 *
 * Stricter than the pipeline, so that a batch can never hide a mistake; each of these throws out of `when`:
 * 1. A decision that throws. It is a bug, never an outcome; test for it with `expect(() => …).toThrow`.
 * 2. Each input is alone with the rows its own lock named: reading or changing another one is a DecisionError. Only a row whose
 *    key holds the input's id may be inserted without being named, as nobody else can make it.
 * 3. The rows that result satisfy the declared table: columns and their kinds, key, unique sets, checks, fixed columns.
 * 4. It is decided twice, with the same bytes (I14), over frozen rows and input: a decision that mutates throws.
 */
import assert from 'node:assert/strict'
import type { Change, Table } from '../database/table.ts'
import type { NewMessage } from '../log/message.ts'
import type { TaskResult } from '../task/outcome.ts'
import type { TaskChange } from '../task/port.ts'
import { decisionText, type Accepted, type Decider, type Decision, type Rejected, type TaskInput } from './decision.ts'
import { frozen, loadFor, saveAll, type StoredRows } from './given-rows.ts'
import { DecisionError, WorkingSet } from './working-set.ts'

/** A service definition, or as much of one as a test needs. */
export interface Deciding {
  /** In lock order. */
  readonly tables: readonly Table<object>[]
  readonly commands?: readonly Decider[]
  readonly messages?: readonly Decider[]
  readonly tasks?: readonly Decider[]
}

/** A message type, whatever its data. */
interface AnyMessageType {
  readonly type: string
  readonly schema: object
}

interface Asked {
  readonly kind: 'command' | 'task'
  readonly type: string
  readonly data: unknown
}

export const command = <Data>(type: string, data: Data): Asked => ({ kind: 'command', type, data })

/** An effect that ended. Its task's id is the `id` of `when`, or a made one. */
export const finished = <Data extends object>(type: string, data: Data, result: TaskResult): Asked => {
  return { kind: 'task', type, data: { data, result } }
}

/** A timer come due. */
export const due = <Data extends object>(type: string, data: Data): Asked => finished(type, data, { kind: 'due' })

export interface WhenOptions {
  /** Milliseconds. Defaults to 2026-01-01T00:00Z plus a second for each input before. */
  readonly now?: number
  /** The input's id. Defaults to 32 hex digits that count the inputs; give one to repeat an input as the same. */
  readonly id?: string
  /** Defaults to `req-` and the count. */
  readonly requestId?: string
}

const START_MS = 1_767_225_600_000

/** `rows`: what is there before, as inserts of their tables. */
export function given(service: Deciding, ...rows: readonly Change[]): Given {
  for (const { kind, table } of rows) {
    if (kind !== 'insert') throw new TypeError(`given takes ${table.name}.insert(row), not ${kind}`)
    if (!service.tables.includes(table)) throw new TypeError(`${table.name} is not one of the service's tables`)
  }
  const inserted = saveAll(service.tables, new Map(), (table) => ({
    inserted: rows.flatMap((change) => (change.kind === 'insert' && change.table === table ? [change.row] : [])),
    updated: [],
    removed: [],
  }))
  return new Given(service, inserted, 0)
}

export class Given {
  readonly #service: Deciding
  readonly #rows: StoredRows
  readonly #inputs: number

  constructor(service: Deciding, rows: StoredRows, inputs: number) {
    this.#service = service
    this.#rows = rows
    this.#inputs = inputs
  }

  row<Row extends object>(table: Table<Row>, key: string): Row | undefined {
    return this.#rows.get(table)?.get(key) as Row | undefined
  }

  rows<Row extends object>(table: Table<Row>): readonly Row[] {
    return [...(this.#rows.get(table)?.values() ?? [])] as Row[]
  }

  when(input: NewMessage | Asked, options: WhenOptions = {}): When {
    const count = this.#inputs + 1
    const {
      now = START_MS + count * 1000,
      id = count.toString(16).padStart(32, '0'),
      requestId = `req-${count}`,
    } = options
    const { tables } = this.#service
    const decider = deciderOf(this.#service, input)
    const data = frozen(dataOf(input, id)) as never
    const set = new WorkingSet()
    loadFor(tables, this.#rows, set, (rows) => decider.lock(data, rows))
    const context = Object.freeze({ now, inputId: id, requestId })
    const decision = decider.decide(data, set, context)
    assert.equal(
      decisionText(decider.decide(data, set, context)),
      decisionText(decision),
      `${input.type} was decided differently the second time`,
    )
    if (decision.kind === 'accepted') {
      assertNamed(decision.changes, set, id)
      set.apply(decision.changes)
    }
    const rows = saveAll(tables, this.#rows, (table) => set.changes(table))
    return new When(this.#service, rows, count, decision)
  }
}

/** What a decision gave, and the rows after it. */
export class Outcome extends Given {
  readonly decision: Decision

  constructor(service: Deciding, rows: StoredRows, inputs: number, decision: Decision) {
    super(service, rows, inputs)
    this.decision = decision
  }

  get rejection(): Rejected | undefined {
    return this.decision.kind === 'rejected' ? this.decision : undefined
  }

  get changes(): readonly Change[] {
    return acceptedOf(this.decision)?.changes ?? []
  }

  get messages(): readonly NewMessage[] {
    return acceptedOf(this.decision)?.messages ?? []
  }

  get tasks(): readonly TaskChange[] {
    return acceptedOf(this.decision)?.tasks ?? []
  }

  get reply(): unknown {
    return acceptedOf(this.decision)?.reply
  }
}

export class When extends Outcome {
  readonly #settled: Outcome

  constructor(service: Deciding, rows: StoredRows, inputs: number, decision: Decision) {
    super(service, rows, inputs, decision)
    this.#settled = new Outcome(service, rows, inputs, decision)
  }

  /** Accepted, with exactly these messages in this order. A bare message type stands for any message of it. */
  // oxlint-disable-next-line unicorn/no-thenable -- given, when, then: what it is called; awaiting it is refused below
  then(...expected: readonly (NewMessage | AnyMessageType)[]): Outcome {
    if (expected.some((message) => !message.type)) throw new TypeError('Do not await or return what when() gives')
    this.#assertAccepted()
    const actual = this.messages.map((message, i) => (isType(expected[i]) ? message.type : message))
    const wanted = expected.map((message) => (isType(message) ? message.type : message))
    assert.deepEqual(actual, wanted)
    return this.#settled
  }

  /** Accepted, whatever it says. */
  thenAccepted(): Outcome {
    this.#assertAccepted()
    return this.#settled
  }

  /** Refused with this code; the detail matches. */
  thenRejected(code: string, detail = /./): Outcome {
    assert.equal(this.rejection?.code, code, 'The decision was accepted')
    assert.match(this.rejection?.detail ?? '', detail)
    return this.#settled
  }

  /** Accepted, and nothing is changed, said or asked for. */
  thenUnchanged(): Outcome {
    this.#assertAccepted()
    const { changes, messages, tasks } = this
    assert.deepEqual({ changes, messages, tasks }, { changes: [], messages: [], tasks: [] })
    return this.#settled
  }

  #assertAccepted(): void {
    const { rejection } = this
    if (rejection) assert.fail(`The decision was rejected: ${rejection.code}: ${rejection.detail}`)
  }
}

const acceptedOf = (decision: Decision): Accepted | undefined => (decision.kind === 'accepted' ? decision : undefined)

function assertNamed(changes: readonly Change[], set: WorkingSet, inputId: string): void {
  for (const change of changes) {
    if (change.kind !== 'insert' || change.table.appendOnly) continue
    const key = change.table.keyOf(change.row)
    if (set.has(change.table, key, true) || key.includes(inputId)) continue
    throw new DecisionError(`The decision inserts ${change.table.name} ${key}, which its lock did not name`)
  }
}

function deciderOf({ commands = [], messages = [], tasks = [] }: Deciding, input: NewMessage | Asked): Decider {
  const kind = 'kind' in input ? input.kind : 'message'
  const deciders = { command: commands, message: messages, task: tasks }[kind]
  const decider = deciders.find(({ type }) => type === input.type)
  if (!decider) throw new Error(`Nothing handles ${kind} ${input.type}`)
  return decider
}

/** As the handler gets it: a message and a task have been through JSON. */
function dataOf(input: NewMessage | Asked, id: string): unknown {
  if (!('kind' in input)) return JSON.parse(JSON.stringify(input.data))
  if (input.kind === 'command') return structuredClone(input.data)
  const stored = JSON.parse(JSON.stringify(input.data)) as Omit<TaskInput<object>, 'taskId'>
  return { ...stored, taskId: id }
}

const isType = (expected: object | undefined): boolean => expected !== undefined && 'schema' in expected
