/**
 * I13: positions are dense. I5, I6: a group applies every message once, and only committed ones. I8: of one key in their order,
 * also through parking and redrive.
 */
import { laneOf } from '@cauce/kit/core/hash'
import { number, of, rowsOf, text, type Check, type CheckOptions } from './check.ts'

export interface LogCheckOptions extends CheckOptions {
  readonly services: readonly string[]
  readonly lanes: number
  /** Whose logs each service reads. */
  readonly reads: Readonly<Record<string, readonly string[]>>
}

export function logCheck({ database, violate, services, lanes, reads }: LogCheckOptions): Check {
  /** `service/source/lane` → position of the cursor. */
  const cursors = new Map<string, number>()
  /** `service/source/key` → positions that are parked, in order. */
  const parked = new Map<string, number[]>()
  /** By service, the ids of its messages. */
  const known = new Map<string, Set<string>>()
  const messageAt = (source: string, lane: number, position: number) =>
    database.committed(`${source}.messages.${lane}`).get(String(position)) as Record<string, unknown> | undefined

  function appended(source: string, changes: Parameters<NonNullable<Check['committed']>>[0]): void {
    const ids = known.get(source) ?? new Set<string>()
    known.set(source, ids)
    for (let lane = 0; lane < lanes; lane++) {
      const table = `${source}.messages.${lane}`
      const count = database.committed(table).size
      for (const { key, before, after } of of(changes, table)) {
        if (before || !after) violate('I13', `Message ${key} of ${table} was changed`)
        if (Number(key) > count) violate('I13', `${table} has ${count} messages and one at ${key}`)
        if (laneOf(text(after, 'key'), lanes) !== lane) violate('I8', `${text(after, 'key')} is in lane ${lane}`)
        if (ids.has(text(after, 'id'))) violate('I7', `Message ${text(after, 'id')} of ${source} was appended twice`)
        ids.add(text(after, 'id'))
      }
      const head = number(database.committed(`${source}.lanes`).get(String(lane)) as Record<string, unknown>, 'head')
      if (head !== count) violate('I13', `Lane ${lane} of ${source} has its head at ${head} and ${count} messages`)
    }
  }

  function moved(service: string, changes: Parameters<NonNullable<Check['committed']>>[0]): void {
    const isParkedNow = new Set<string>()
    for (const { before, after } of of(changes, `${service}.parked`)) {
      const row = after ?? before
      const name = `${service}/${text(row, 'source')}/${text(row, 'key')}`
      const waiting = parked.get(name) ?? []
      if (!before && after) {
        isParkedNow.add(`${text(row, 'source')}/${text(row, 'id')}`)
        if (waiting.length === 0 && text(row, 'error').startsWith('waits behind'))
          violate('I8', `${name} was parked behind nothing`)
        parked.set(name, [...waiting, number(row, 'position')])
      }
      if (before && !after) {
        if (waiting[0] !== number(row, 'position'))
          violate('I8', `${name}: ${number(row, 'position')} left before ${waiting[0]}`)
        parked.set(name, waiting.slice(1))
      }
    }
    for (const { key, before, after } of of(changes, `${service}.cursors`)) {
      const [source, lane, to] = [text(after, 'source'), number(after, 'lane'), number(after, 'position')]
      const from = cursors.get(key) ?? 0
      if (number(before, 'position') !== from || to < from) violate('I5', `${key} went from ${from} to ${to}`)
      cursors.set(key, to)
      for (let position = from + 1; position <= to; position++) applied(service, source, lane, position, isParkedNow)
      if (to > 0 && messageAt(source, lane, to)?.['id'] !== after?.['messageId'])
        violate('I5', `${key} stands at ${to} with another message's id`)
    }
  }

  function applied(service: string, source: string, lane: number, position: number, parkedNow: Set<string>): void {
    const message = messageAt(source, lane, position)
    if (!message) return violate('I6', `${service} applied ${source}/${lane}/${position}, which is not there`)
    if (parkedNow.has(`${source}/${text(message, 'id')}`)) return
    const waiting = parked.get(`${service}/${source}/${text(message, 'key')}`) ?? []
    const earlier = waiting.find((other) => other < position)
    if (earlier !== undefined)
      violate('I8', `${service} applied ${source}/${lane}/${position} before the parked ${earlier}`)
  }

  return {
    committed(changes) {
      const tables = new Set(changes.map(({ table }) => table.slice(0, table.indexOf('.'))))
      for (const service of services) if (tables.has(service)) appended(service, changes)
      for (const service of services) if (tables.has(service)) moved(service, changes)
    },
    settled() {
      for (const service of services) {
        for (const cursor of rowsOf(database, `${service}.cursors`)) {
          const [source, lane] = [text(cursor, 'source'), number(cursor, 'lane')]
          const head = database.committed(`${source}.messages.${lane}`).size
          if (number(cursor, 'position') !== head)
            violate('I5', `${service} stands at ${number(cursor, 'position')} of ${head} in ${source}/${lane}`)
          if (!reads[service]?.includes(source)) violate('I5', `${service} reads ${source}`)
        }
        const left = rowsOf(database, `${service}.parked`)
        if (left.length > 0)
          violate('I5', `${left.length} messages of ${service} are parked for good: ${text(left[0], 'error')}`)
      }
    },
  }
}
