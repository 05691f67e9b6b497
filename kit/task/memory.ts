/** Tasks over memory. */
import type { MemoryDatabase, MemoryTransaction } from '../database/memory.ts'
import { ConstraintError } from '../database/errors.ts'
import { assertHolds, jsonText } from '../database/values.ts'
import type { PendingTask, Settlement, StoredTask, Task, TaskHold, TaskQueue, TaskStats, TaskStore } from './port.ts'

const tableOf = (schema: string): string => `${schema}.tasks`

function fresh(task: PendingTask, token: number): StoredTask {
  const { id, type, key, requestId, at } = task
  const data = copied(task.data)
  const dueAt = instant(task.dueAt ?? at)
  assertHolds('text', 'key', key)
  return { id, type, key, data, dueAt, requestId, attempt: 0, token, state: 'open', outcome: null, error: null }
}

function instant(ms: number): number {
  assertHolds('instant', 'dueAt', ms)
  return Math.trunc(ms)
}

/** Through JSON and back, as through PostgreSQL. */
const copied = (value: object): object => JSON.parse(jsonText(value)) as object

function settled(task: StoredTask, settlement: Settlement): StoredTask {
  const { state, error } = settlement
  const token = task.token + 1
  if (settlement.state !== 'open') {
    return { ...task, token, state, error, outcome: settlement.outcome && copied(settlement.outcome) }
  }
  const attempt = task.attempt - (settlement.refund ? 1 : 0)
  return { ...task, token, state, error, attempt, outcome: null, dueAt: instant(settlement.dueAt) }
}

export function memoryTasks(schema: string): (tx: MemoryTransaction) => TaskStore {
  const table = tableOf(schema)
  return (tx) => {
    const find = (id: string) => tx.get(table, id) as StoredTask | undefined
    return {
      apply: ({ enqueued, scheduled, unscheduled }) =>
        tx.run(async () => {
          for (const task of enqueued) {
            await tx.lock(table, task.id)
            if (find(task.id)) throw new ConstraintError('23505', 'tasks_pkey', `${task.id} exists`)
            tx.put(table, task.id, fresh(task, 0))
          }
          for (const timer of scheduled.toSorted(byId)) {
            await tx.lock(table, timer.id)
            tx.put(table, timer.id, fresh(timer, (find(timer.id)?.token ?? -1) + 1))
          }
          for (const id of unscheduled) {
            await tx.lock(table, id)
            const timer = find(id)
            if (timer?.state === 'open') tx.put(table, id, { ...timer, state: 'cancelled', token: timer.token + 1 })
          }
        }),
      lock: (holds) =>
        tx.run(async () => {
          const held: TaskHold[] = []
          for (const { id, token } of holds.toSorted(byId)) {
            if (!current(find(id), token)) continue
            await tx.lock(table, id)
            if (current(find(id), token)) held.push({ id, token })
          }
          return held
        }),
      settle: (settlements) =>
        tx.run(() => {
          for (const settlement of settlements) {
            const task = find(settlement.id)
            if (task?.token === settlement.token) tx.put(table, task.id, settled(task, settlement))
          }
        }),
    }
  }
}

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)

const current = (task: StoredTask | undefined, token: number): boolean => task?.state === 'open' && task.token === token

const claimOf = ({ id, type, key, data, attempt, token, requestId }: StoredTask, dueAt: number): Task => {
  return { id, type, key, data, attempt, token, dueAt, requestId }
}

export function memoryTaskQueue(database: MemoryDatabase, schema: string): TaskQueue {
  const table = tableOf(schema)
  const open = (types: readonly string[]): StoredTask[] =>
    [...database.committed(table).values()]
      .map((row) => row as StoredTask)
      .filter((task) => task.state === 'open' && types.includes(task.type))
      .toSorted((a, b) => a.dueAt - b.dueAt)
  return {
    claim: (types, limit, leaseMs) =>
      database.once((tx) =>
        tx.run(() => {
          const now = database.clock.now()
          const claimed: Task[] = []
          for (const { id } of open(types).filter((task) => task.dueAt <= now)) {
            if (claimed.length === limit) break
            if (!tx.tryLock(table, id)) continue
            const task = tx.get(table, id) as StoredTask
            const next = { ...task, token: task.token + 1, attempt: task.attempt + 1, dueAt: now + leaseMs }
            tx.put(table, id, next)
            claimed.push(claimOf(next, task.dueAt))
          }
          return claimed
        }),
      ),
    extend: (holds, leaseMs) =>
      database.once((tx) =>
        tx.run(async () => {
          const held: string[] = []
          for (const { id, token } of holds.toSorted(byId)) {
            await tx.lock(table, id)
            const task = tx.get(table, id) as StoredTask | undefined
            if (!current(task, token)) continue
            tx.put(table, id, { ...task!, dueAt: database.clock.now() + leaseMs })
            held.push(id)
          }
          return held
        }),
      ),
    async nextDueInMs(types) {
      const [first] = open(types)
      return first && Math.max(0, first.dueAt - database.clock.now())
    },
    async stats() {
      const counts = new Map<string, TaskStats & { count: number }>()
      for (const row of database.committed(table).values()) {
        const { type, state } = row as StoredTask
        if (state !== 'open' && state !== 'dead') continue
        const stat = counts.get(`${type}/${state}`) ?? { type, state, count: 0 }
        counts.set(`${type}/${state}`, { ...stat, count: stat.count + 1 })
      }
      return [...counts.values()]
    },
    redrive: (id) =>
      database.once((tx) =>
        tx.run(async () => {
          await tx.lock(table, id)
          const task = tx.get(table, id) as StoredTask | undefined
          if (task?.state !== 'dead') return false
          tx.put(table, id, { ...task, state: 'open', attempt: 0, token: task.token + 1, dueAt: database.clock.now() })
          return true
        }),
      ),
    find: async (id) => database.committed(table).get(id) as StoredTask | undefined,
  }
}
