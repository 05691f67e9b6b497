/** Tasks over memory. */
import { causeOf } from '../core/cause.ts'
import { groupBy } from '../core/collections.ts'
import type { MemoryDatabase, MemoryTransaction } from '../database/memory.ts'
import { ConstraintError } from '../database/errors.ts'
import { assertHolds, jsonText } from '../database/values.ts'
import type {
  DeadCause,
  DeadPlace,
  DeadTask,
  PendingTask,
  Settlement,
  StoredTask,
  Task,
  TaskHold,
  TaskQueue,
  TaskStats,
  TaskStore,
} from './port.ts'

interface MemoryTask extends StoredTask {
  /** Set when it dies. */
  readonly deadSince?: number
}

const tableOf = (schema: string): string => `${schema}.tasks`

function fresh(task: PendingTask, token: number): StoredTask {
  const { id, type, key, requestId, at } = task
  const data = copied(task.data)
  const dueAt = instant(task.dueAt ?? at)
  assertHolds('text', 'key', key)
  const createdAt = instant(at)
  return {
    id,
    type,
    key,
    data,
    dueAt,
    createdAt,
    requestId,
    attempt: 0,
    token,
    state: 'open',
    outcome: null,
    error: null,
  }
}

function instant(ms: number): number {
  assertHolds('instant', 'dueAt', ms)
  return Math.trunc(ms)
}

/** Through JSON and back, as through PostgreSQL. */
const copied = (value: object): object => JSON.parse(jsonText(value)) as object

function settled(task: StoredTask, settlement: Settlement, now: number): MemoryTask {
  const { state, error } = settlement
  const token = task.token + 1
  if (settlement.state !== 'open') {
    const outcome = settlement.outcome && copied(settlement.outcome)
    return { ...task, token, state, error, outcome, deadSince: Math.trunc(now) }
  }
  const attempt = task.attempt - (settlement.refund ? 1 : 0)
  return { ...task, token, state, error, attempt, outcome: null, dueAt: instant(settlement.dueAt) }
}

export function memoryTasks(schema: string): (tx: MemoryTransaction) => TaskStore {
  const table = tableOf(schema)
  return (tx) => {
    const find = (id: string) => tx.get(table, id) as StoredTask | undefined
    /** Changes those of the tasks that are dead; gives their ids. */
    const changeDead = (ids: readonly string[], change: (task: StoredTask, now: number) => Partial<StoredTask>) =>
      tx.run(async () => {
        const now = await tx.begun
        const changed: string[] = []
        for (const id of [...new Set(ids)].toSorted()) {
          if (find(id)?.state !== 'dead') continue
          await tx.lock(table, id)
          const task = find(id)
          if (task?.state !== 'dead') continue
          tx.put(table, id, { ...task, token: task.token + 1, ...change(task, now) })
          changed.push(id)
        }
        return changed
      })
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
        tx.run(async () => {
          const now = await tx.begun
          for (const settlement of settlements) {
            const task = find(settlement.id)
            if (task?.token === settlement.token) tx.put(table, task.id, settled(task, settlement, now))
          }
        }),
      redrive: (ids) => changeDead(ids, (_, now) => ({ state: 'open', attempt: 0, dueAt: now })),
      discard: (ids, reason) =>
        changeDead(ids, ({ error }) => {
          const before = error === null ? '' : `; before: ${error}`
          return { state: 'cancelled', error: `discarded: ${reason}${before}` }
        }),
    }
  }
}

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)

const current = (task: StoredTask | undefined, token: number): boolean => task?.state === 'open' && task.token === token

const claimOf = (task: StoredTask, dueAt: number, now: number): Task => {
  const { id, type, key, data, attempt, token, createdAt, requestId } = task
  return { id, type, key, data, attempt, token, dueAt, createdAt, ageMs: now - createdAt, requestId }
}

const byDeath = (a: DeadPlace, b: DeadPlace): number => a.since - b.since || byId(a, b)

function deadTask({ id, type, key, data, attempt, requestId, outcome, error, deadSince = 0 }: MemoryTask): DeadTask {
  const cause = causeOf(error ?? '')
  return { id, type, key, data, attempt, requestId, outcome, error: error ?? '', cause, since: deadSince }
}

export function memoryTaskQueue(database: MemoryDatabase, schema: string): TaskQueue {
  const table = tableOf(schema)
  const open = (types: readonly string[]): StoredTask[] =>
    [...database.committed(table).values()]
      .map((row) => row as StoredTask)
      .filter((task) => task.state === 'open' && types.includes(task.type))
      .toSorted((a, b) => a.dueAt - b.dueAt)
  const dead = (): DeadTask[] =>
    [...database.committed(table).values()]
      .map((row) => row as MemoryTask)
      .filter((task) => task.state === 'dead')
      .map(deadTask)
      .toSorted(byDeath)
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
            claimed.push(claimOf(next, task.dueAt, now))
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
    find: async (id) => database.committed(table).get(id) as StoredTask | undefined,
    findByKey: async (keys, limit) =>
      [...database.committed(table).values()]
        .map((row) => row as StoredTask)
        .filter((task) => keys.includes(task.key))
        .toSorted((a, b) => a.createdAt - b.createdAt || byId(a, b))
        .slice(0, limit),
    dead: async (limit, { type, cause, after } = {}) =>
      dead()
        .filter((task) => (type ?? task.type) === task.type && (cause ?? task.cause) === task.cause)
        .filter((task) => !after || byDeath(after, task) < 0)
        .slice(0, limit),
    findDead: async (id) => dead().find((task) => task.id === id),
    deadCauses: async () =>
      [...groupBy(dead(), ({ type, cause }) => `${type} ${cause}`).values()]
        .map(([first, ...others]): DeadCause => {
          const { type, cause, since, id } = first!
          return { type, cause, tasks: others.length + 1, oldest: since, example: id }
        })
        .toSorted((a, b) => b.tasks - a.tasks || a.oldest - b.oldest),
  }
}
