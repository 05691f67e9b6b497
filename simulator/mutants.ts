/**
 * Planted bugs: mistakes that people make, each put around a part of the product from outside. A checker that does not catch
 * them proves nothing by its silence. None of this is ever in the product's path.
 */
import type { MemoryDatabase } from '@cauce/kit/database/memory'
import type { Decider, Rows } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import type { Transactions, UnitOfWork } from '@cauce/kit/pipeline/unit-of-work'
import { memoryTaskQueue } from '@cauce/kit/task/memory'
import { retry, type Effect } from '@cauce/kit/task/outcome'
import type { TaskQueue } from '@cauce/kit/task/port'
import type { Clock, Timers } from '@cauce/kit/core/clock'
import { accept } from '@cauce/kit/pipeline/decision'

/** The database, as whoever asks it sees it, with another clock. */
const withClock = (database: MemoryDatabase, clock: Clock): MemoryDatabase =>
  new Proxy(database, {
    get(target, name) {
      if (name === 'clock') return clock
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })

/** The process that a part belongs to. */
export interface MutantContext {
  readonly service: string
  readonly database: MemoryDatabase
  readonly clock: Clock
}

export interface Mutant {
  readonly name: string
  /** What somebody got wrong. */
  readonly about: string
  /** Invariants that it breaks: another violation has not caught it, but stumbled over it. */
  readonly breaks: readonly string[]
  definition?(definition: ServiceDefinition): ServiceDefinition
  transactions?(transactions: Transactions, context: MutantContext): Transactions
  queue?(queue: TaskQueue, context: MutantContext): TaskQueue
  effects?(effects: readonly Effect[]): readonly Effect[]
  timers?(timers: Timers): Timers
  /** The scope of an idempotency key. */
  scope?(principal: string, key: string): string
}

/** Changes what a transaction can do. */
const working =
  (change: (work: UnitOfWork, context: MutantContext) => Partial<UnitOfWork>): Mutant['transactions'] =>
  (transactions, context) => ({
    async begin() {
      const work = await transactions.begin()
      return { ...work, ...change(work, context) }
    },
  })

/** Changes the decider of one type. */
const deciding =
  (type: string, change: (decider: Decider) => Decider): Mutant['definition'] =>
  (definition) => {
    const all = (deciders: readonly Decider[]) => deciders.map((one) => (one.type === type ? change(one) : one))
    const { commands, messages, tasks } = definition
    return { ...definition, commands: all(commands), messages: all(messages), tasks: all(tasks) }
  }

/** The decider sees rows of a table as `show` makes them. */
const seeing =
  (table: string, show: (row: Record<string, unknown>) => Record<string, unknown>) =>
  (decider: Decider): Decider => ({
    ...decider,
    decide(data, rows, context) {
      const changed: Rows = {
        get(of, key) {
          const row = rows.get(of, key)
          return row && of.name === table ? (show(row as Record<string, unknown>) as typeof row) : row
        },
      }
      return decider.decide(data, changed, context)
    },
  })

const effectsAs =
  (change: (effect: Effect) => Effect): Mutant['effects'] =>
  (effects) =>
    effects.map(change)

/** Visible at once, whatever becomes of the transaction. */
function writeNow({ database }: MutantContext, table: string, key: string, row: object): void {
  database.apply(new Map([[table, new Map([[key, row]])]]))
}

type Moved = Parameters<UnitOfWork['cursors']['move']>

function moveNow(context: MutantContext, [group, moved]: Moved): void {
  const table = `${context.service}.cursors`
  for (const cursor of moved) {
    const key = `${group}/${cursor.source}/${cursor.lane}`
    const before = context.database.committed(table).get(key)
    writeNow(context, table, key, { ...before, ...cursor })
  }
}

const ackBeforeCommit = working((work, context) => ({
  cursors: {
    ...work.cursors,
    lock: (group, lanes) => work.cursors.lock(group, lanes),
    lockOne: (group, lane) => work.cursors.lockOne(group, lane),
    parkedKeys: (group, lanes) => work.cursors.parkedKeys(group, lanes),
    parkedMessages: (group, key, limit) => work.cursors.parkedMessages(group, key, limit),
    unpark: (group, lane, ids, failed) => work.cursors.unpark(group, lane, ids, failed),
    move: async (...moved) => {
      moveNow(context, moved)
      await work.cursors.move(...moved)
    },
  },
}))

const cursorAfterCommit = working((work, context) => {
  let later: Moved | undefined
  const { cursors } = work
  return {
    cursors: {
      lock: (group, lanes) => cursors.lock(group, lanes),
      lockOne: (group, lane) => cursors.lockOne(group, lane),
      parkedKeys: (group, lanes) => cursors.parkedKeys(group, lanes),
      parkedMessages: (group, key, limit) => cursors.parkedMessages(group, key, limit),
      unpark: (group, lane, ids, failed) => cursors.unpark(group, lane, ids, failed),
      move: async (...moved) => {
        later = moved
      },
    },
    async commit() {
      await work.commit()
      if (later) moveNow(context, later)
    },
  }
})

const ackWithoutToken = working(({ tasks }, { database, service }) => ({
  tasks: {
    apply: (changes) => tasks.apply(changes),
    redrive: (ids) => tasks.redrive(ids),
    discard: (ids, reason) => tasks.discard(ids, reason),
    lock: async (holds) => [...holds],
    settle: (settlements) => {
      const tokenOf = (id: string) => (database.committed(`${service}.tasks`).get(id) as { token: number }).token
      return tasks.settle(settlements.map((settlement) => ({ ...settlement, token: tokenOf(settlement.id) })))
    },
  },
}))

function keysInMemory(): Mutant['transactions'] {
  return (transactions) => {
    const kept = new Map<string, Parameters<UnitOfWork['keys']['write']>[0][number]>()
    return {
      async begin() {
        const work = await transactions.begin()
        const written: Parameters<UnitOfWork['keys']['write']>[0][number][] = []
        return {
          ...work,
          keys: {
            read: async (ids) => ids.flatMap((id) => kept.get(id) ?? []),
            write: async (records) => void written.push(...records),
          },
          async commit() {
            await work.commit()
            for (const record of written) kept.set(record.id, record)
          },
        }
      },
    }
  }
}

const stockUnlocked = working(({ rows }) => ({
  rows: {
    load: (table, keys, lock) => rows.load(table, keys, lock && table.name !== 'stock'),
    save: (table, changes) => rows.save(table, changes),
  },
}))

const timersLost = working(({ tasks }) => ({
  tasks: {
    apply: (changes) => tasks.apply({ ...changes, scheduled: [] }),
    redrive: (ids) => tasks.redrive(ids),
    discard: (ids, reason) => tasks.discard(ids, reason),
    lock: (holds) => tasks.lock(holds),
    settle: (settlements) => tasks.settle(settlements),
  },
}))

const poisonBlocksAll = working(({ cursors }, { database }) => ({
  cursors: {
    lock: (group, lanes) => cursors.lock(group, lanes),
    lockOne: (group, lane) => cursors.lockOne(group, lane),
    parkedMessages: (group, key, limit) => cursors.parkedMessages(group, key, limit),
    unpark: (group, lane, ids, failed) => cursors.unpark(group, lane, ids, failed),
    move: (group, moved, parked) => cursors.move(group, moved, parked),
    async parkedKeys(group, lanes) {
      const parked = await cursors.parkedKeys(group, lanes)
      if (parked.length === 0) return parked
      const keysIn = ({ source, lane }: { source: string; lane: number }) =>
        [...database.committed(`${source}.messages.${lane}`).values()].map((message) => ({
          source,
          key: (message as { key: string }).key,
        }))
      return lanes.flatMap(keysIn)
    },
  },
}))

const givenBackTwice = (decider: Decider): Decider => ({
  ...decider,
  decide(data, rows, context) {
    const decision = decider.decide(data, rows, context)
    if (decision.kind !== 'accepted') return decision
    const changes = decision.changes.map((change) => {
      if (change.kind !== 'update' || change.table.name !== 'stock') return change
      const after = change.row as { sku: string; reserved: number }
      const before = rows.get(change.table, after.sku) as { reserved: number }
      return { ...change, row: { ...after, reserved: after.reserved - (before.reserved - after.reserved) } }
    })
    return { ...decision, changes }
  },
})

function answersMixedUp(effects: readonly Effect[]): readonly Effect[] {
  const last = new Map<string, Awaited<ReturnType<Effect['run']>>>()
  return effects.map((effect) => ({
    ...effect,
    async run(data, context) {
      const answer = await effect.run(data, context)
      const earlier = last.get(effect.type)
      last.set(effect.type, answer)
      return earlier ?? answer
    },
  }))
}

export const mutants: readonly Mutant[] = [
  {
    name: 'ack-before-commit',
    breaks: ['I5', 'I6', 'I8'],
    about: 'the cursor moves, visibly, before what the messages did is saved',
    transactions: ackBeforeCommit!,
  },
  {
    name: 'cursor-outside-transaction',
    breaks: ['I5', 'I7'],
    about: 'the cursor moves after the commit, in a step of its own',
    transactions: cursorAfterCommit!,
  },
  {
    name: 'ack-without-token',
    breaks: ['I11'],
    about: 'whoever has ever claimed a task may settle it',
    transactions: ackWithoutToken!,
  },
  {
    name: 'dedup-in-memory',
    breaks: ['I9'],
    about: 'idempotency keys are kept in the memory of the process',
    transactions: (transactions, context) => keysInMemory()!(transactions, context),
  },
  {
    name: 'compensation-twice',
    breaks: ['I3'],
    about: 'what a release gives back is given back twice',
    definition: deciding('ReleaseStock', givenBackTwice)!,
  },
  {
    name: 'compensation-before-forward',
    breaks: ['I4'],
    about: 'an authorisation with an unknown outcome is given up without voiding its key: the charge may land later',
    definition: deciding('VoidPayment', (decider) => ({
      ...decider,
      decide(data, rows, context) {
        const decision = decider.decide(data, rows, context)
        if (decision.kind !== 'accepted') return decision
        const { orderId, paymentId } = data as { orderId: string; paymentId: string }
        return decision.tasks.length === 0
          ? decision
          : accept({ messages: [{ type: 'PaymentVoided', key: orderId, data: { orderId, paymentId } }] })
      },
    }))!,
  },
  {
    name: 'new-key-per-attempt',
    breaks: ['I2', 'I7'],
    about: 'each attempt asks the provider under a key of its own',
    effects: effectsAs((effect) => ({
      ...effect,
      run: (data, context) => effect.run(data, { ...context, key: `${context.key}${context.attempt}` }),
    }))!,
  },
  {
    name: 'refund-above-capture',
    breaks: ['I2'],
    about: 'what was given back before is not counted',
    definition: deciding(
      'RefundPayment',
      seeing('payments', (row) => ({ ...row, refunded: 0 })),
    )!,
  },
  {
    name: 'stock-checked-then-written',
    breaks: ['I3'],
    about: 'stock is read without a lock, then written',
    transactions: stockUnlocked!,
  },
  {
    name: 'lost-timer',
    breaks: ['I4'],
    about: 'timers are not saved with the decision that sets them',
    transactions: timersLost!,
  },
  {
    name: 'reply-to-the-wrong-attempt',
    breaks: ['I2', 'I4'],
    about: 'an effect is told the answer to the call before',
    effects: answersMixedUp,
  },
  {
    name: 'poison-blocks-all-keys',
    breaks: ['I8'],
    about: 'one poisoned key stops its whole lane',
    transactions: poisonBlocksAll!,
  },
  {
    name: 'key-without-principal',
    breaks: ['I9'],
    about: 'an idempotency key is the same for every customer',
    scope: (_, key) => key,
  },
  {
    name: 'lease-by-local-clock',
    breaks: ['I11'],
    about: 'whether a lease is over is judged by the clock of the process',
    queue: (_, { database, service, clock }) => memoryTaskQueue(withClock(database, clock), service),
  },
  {
    name: 'retry-of-a-refusal',
    breaks: ['I4', 'I5'],
    about: 'what a provider refuses for good is asked again',
    effects: effectsAs((effect) => ({
      ...effect,
      async run(data, context) {
        const answer = await effect.run(data, context)
        return answer.kind === 'cancel' ? retry(answer.reason) : answer
      },
    }))!,
  },
  {
    name: 'unbounded-retry',
    breaks: ['I7'],
    about: 'a failed call is made again at once, for ever',
    effects: effectsAs((effect) => ({
      ...effect,
      backoff: { ...effect.backoff, attempts: Infinity },
      async run(data, context) {
        const answer = await effect.run(data, context)
        return answer.kind === 'retry' ? retry(answer.reason, 1) : answer
      },
    }))!,
  },
  {
    name: 'wake-by-notify-only',
    breaks: ['I5'],
    about: 'nobody looks by themselves: a wake-up that is lost is never made good',
    timers: (timers) => ({
      ...timers,
      sleep: (ms, signal) => timers.sleep(ms === 5_000 ? 1e9 : ms, signal),
    }),
  },
  {
    name: 'older-news-over-newer',
    breaks: ['I2'],
    about: 'news of the card processor are taken in the order in which they come',
    definition: deciding(
      'CardEvent',
      seeing('payments', (row) => ({ ...row, sequence: -1 })),
    )!,
  },
]

/** Whether a violation is what the mutant was to be caught by. */
export const isCaught = ({ breaks }: Mutant, violation: { readonly invariant: string } | undefined): boolean =>
  violation !== undefined && breaks.includes(violation.invariant)

/** Throws RangeError, with what there is. */
export function mutantNamed(name: string): Mutant {
  const found = mutants.find((mutant) => mutant.name === name)
  if (found) return found
  throw new RangeError(`There is no mutant ${name}. There are: ${mutants.map((each) => each.name).join(', ')}`)
}
