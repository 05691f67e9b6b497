/**
 * Both services in one decision. On the platform a service says a message into its log and another one hears it later, in a
 * transaction of its own. Here whoever is meant is asked at once, and all that comes of it is one decision, saved in one transaction:
 *
 *   createOrder ──AuthorizePayment──▶ authorizePayment ──PaymentAuthorized──▶ the order's way ──CapturePayment──▶ …
 *
 * The deciders are the platform's own and do not notice. They are pure, so this is too: what the card processor has to say is known
 * before, and given to it.
 */
import type { Change, Table } from '@cauce/kit/database/table'
import type { NewMessage } from '@cauce/kit/log/message'
import {
  accept,
  type Accepted,
  type Context,
  type Decider,
  type Decision,
  type Rows,
} from '@cauce/kit/pipeline/decision'
import type { NewTask } from '@cauce/kit/task/port'
import type { TaskResult } from '@cauce/kit/task/outcome'
import { binding } from '@cauce/orders/saga'
import { payments } from '@cauce/payments/service'
import type { Ask, Charge } from './charge.ts'
import { orderListens } from './way.ts'

const byType = (deciders: readonly Decider[]) => new Map(deciders.map((decider) => [decider.type, decider]))
const listeners = byType([...payments.messages, ...orderListens])
const afterTasks = byType(payments.tasks)

/** The rows that paying an order needs. */
export const payingLocks: Decider['lock'] = (ask: Ask, rows) => [
  ...listeners.get('AuthorizePayment')!.lock(ask as never, rows),
  ...listeners.get('PaymentAuthorized')!.lock(ask as never, rows),
]

/**
 * What these messages bring about in both services. `charge`: what the processor did, for an order that is paid by card. The reply is
 * the order's row, as it is in the end.
 */
export function together(
  said: readonly NewMessage[],
  before: readonly Change[],
  charge: Charge | undefined,
  rows: Rows,
  context: Context,
): Accepted {
  const seen = new Seen(rows, context)
  seen.changed(before)
  const open = [...said]
  const take = (decision: Decision) => {
    if (decision.kind === 'rejected') throw new Error(`${decision.code}: ${decision.detail}`)
    seen.changed(decision.changes)
    open.push(...decision.messages)
    for (const change of decision.tasks) if (change.kind === 'enqueue') finish(change.task)
  }
  const finish = ({ type, data }: NewTask) => {
    const decider = afterTasks.get(type)
    // A mail, say: these projects have nobody who sends it.
    if (!decider) return
    if (!charge) throw new Error(`${type} is asked for, and no processor was`)
    const result: TaskResult = { kind: 'done', result: type === 'authorize-card' ? charge.authorization : {} }
    take(decider.decide({ taskId: charge.key, data, result } as never, seen, context))
  }
  // Grows while it is walked. What nobody listens to (OrderCreated, OrderCompleted) is forgotten: there is no log.
  for (const { type, data } of open) {
    const listener = listeners.get(type)
    if (listener) take(listener.decide(data as never, seen, context))
  }
  return accept({ changes: seen.changes, reply: seen.order })
}

/** The rows of a transaction with what the decisions in it have changed so far. */
class Seen implements Rows {
  readonly changes: Change[] = []
  readonly #now = new Map<Table<object>, Map<string, object | undefined>>()
  readonly #rows: Rows
  readonly #context: Context

  constructor(rows: Rows, context: Context) {
    this.#rows = rows
    this.#context = context
  }

  get<Row extends object>(table: Table<Row>, key: string): Row | undefined {
    const changed = this.#now.get(table)
    if (changed?.has(key)) return changed.get(key) as Row | undefined
    // What has this input's id in its own was made by it, or is not there yet: nobody else can have made it.
    return key.includes(this.#context.inputId) ? undefined : this.#rows.get(table, key)
  }

  changed(changes: readonly Change[]): void {
    for (const change of changes) {
      const { table } = change
      const key = change.kind === 'remove' ? change.key : table.keyOf(change.row)
      const of = this.#now.get(table) ?? new Map<string, object | undefined>()
      this.#now.set(table, of.set(key, change.kind === 'remove' ? undefined : change.row))
      this.changes.push(change)
    }
  }

  get order(): object | undefined {
    return [...(this.#now.get(binding.table)?.values() ?? [])].at(-1)
  }
}
