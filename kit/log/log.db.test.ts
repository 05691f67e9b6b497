import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, systemTimers } from '../core/clock.ts'
import { integerBetween, pick, seeded } from '../core/prng.ts'
import { createPool } from '../database/pool.ts'
import { openWorld, send, until, type World } from '../pipeline/testing.ts'
import { FollowingReader, keysOfLane, logConformance, pendingOf } from './conformance.ts'
import { LaneMismatchError } from './port.ts'
import { ensureLanes } from './postgres.ts'

logConformance('PostgreSQL', async () => {
  const { upstream, lanes, close } = await openWorld('postgres')
  return { lanes, reader: upstream.log, begin: () => upstream.transactions.begin(), close }
})

describe('the log over PostgreSQL, mistreated', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorld('postgres')
  })
  afterAll(() => world.close())

  it('I5 I13 stays dense, ordered and free of deadlocks under 8 writers and 5 readers while backends are killed', async () => {
    const errors: string[] = []
    const { committed, doubtful, readers, kills } = await mistreat(world, errors)
    // A run in which the fault never fired proves nothing.
    expect(kills).toBeGreaterThan(10)
    expect(committed.size).toBeGreaterThan(200)
    for (const { seen } of readers) {
      const ids = new Set(seen.map(({ id }) => id))
      expect(ids.size).toBe(seen.length)
      expect([...committed].filter((id) => !ids.has(id))).toEqual([])
      expect([...ids].filter((id) => !committed.has(id) && !doubtful.has(id))).toEqual([])
    }
    const [{ lost }] = (await world.sql(`SELECT count(*)::int AS lost FROM upstream.lanes l
      WHERE l.head <> (SELECT count(*) FROM upstream.messages m WHERE m.lane = l.lane)`)) as [{ lost: number }]
    expect(lost).toBe(0)
    expect(errors.filter((code) => code === '40P01')).toEqual([])
    const deadlocks = await world.sql('SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()')
    expect(deadlocks).toEqual([{ deadlocks: 0 }])
  })

  it('refuses another number of lanes than it was created with, and says both', async () => {
    const pool = createPool({ url: () => world.url!, purpose: 'read', size: 1 })
    await ensureLanes(pool, 'upstream', world.lanes)
    const mismatch = await ensureLanes(pool, 'upstream', world.lanes + 8).catch((error: unknown) => error)
    expect(mismatch).toBeInstanceOf(LaneMismatchError)
    expect((mismatch as Error).message).toContain(
      `created with ${world.lanes} lanes, but ${world.lanes + 8} are configured`,
    )
    await expect(ensureLanes(pool, 'upstream', 1)).rejects.toThrow(LaneMismatchError)
    // Nothing was added by trying.
    expect(await world.sql('SELECT count(*)::int AS lanes FROM upstream.lanes')).toEqual([{ lanes: world.lanes }])
    await pool.close()
  })

  it('I5 fails rather than drop a message whose lane has no head', async () => {
    await world.sql('DELETE FROM tally.lanes WHERE lane = 3')
    const [key] = keysOfLane(3, world.lanes, 1)
    const work = await world.tally.transactions.begin()
    await work.begun
    await expect(work.log.append(pendingOf(key!, 1))).rejects.toMatchObject({ code: '23502' })
    await work.rollback()
  })

  it('waits for no transaction that is merely open', async () => {
    const idle = await world.upstream.transactions.begin()
    await idle.begun
    const reader = new FollowingReader(world.upstream.log)
    await reader.follow()
    await send(world.upstream, { type: 'Noted', key: 'meanwhile', data: {} })
    expect(await reader.follow()).toHaveLength(1)
    await idle.rollback()
  })
})

/** One that is in a transaction, where it hurts. */
const killOne = {
  name: 'kill',
  text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'cauce pipeline'
         AND xact_start IS NOT NULL ORDER BY random() LIMIT 1`,
}

/** Writers, readers and a killer of backends, until enough was written and killed; for 8 s at most. */
async function mistreat(world: World, errors: string[]) {
  const end = systemClock.monotonic() + 8000
  const keys = Array.from({ length: world.lanes }, (_, lane) => keysOfLane(lane, world.lanes, 2)).flat()
  const committed = new Set<string>()
  const doubtful = new Set<string>()
  let running = 8
  let kills = 0
  const enough = () => (kills >= 20 && committed.size >= 600) || systemClock.monotonic() > end

  const write = async (writer: number) => {
    const random = seeded(writer, 'writer')
    for (let n = 0; !enough(); n++) {
      const pending = Array.from(
        { length: integerBetween(random, 1, 6) },
        (_, i) => pendingOf(pick(random, keys), (writer * 1e6 + n) * 10 + i)[0]!,
      )
      try {
        const work = await world.upstream.transactions.begin()
        let sent = false
        try {
          await work.begun
          const appended = work.log.append(pending)
          sent = true
          await Promise.all([appended, work.commit()])
          for (const { id } of pending) committed.add(id)
        } catch (error) {
          if (sent) for (const { id } of pending) doubtful.add(id)
          await work.rollback()
          throw error
        }
      } catch (error) {
        errors.push((error as { code?: string }).code ?? (error as Error).name)
      }
    }
    running--
  }
  const follow = async (reader: FollowingReader) => {
    for (let last = false; ;) {
      const found = await reader.follow()
      if (last && found.length === 0) return
      last = running === 0
    }
  }
  const kill = async () => {
    const random = seeded(7, 'killer')
    const pool = createPool({ url: () => world.url!, purpose: 'audit', size: 1 })
    while (running > 0) {
      await systemTimers.sleep(integerBetween(random, 20, 100))
      kills += (await pool.query(killOne, [])).length
    }
    await pool.close()
  }
  const readers = Array.from({ length: 5 }, () => new FollowingReader(world.upstream.log))
  await Promise.all([...[1, 2, 3, 4, 5, 6, 7, 8].map(write), ...readers.map(follow), kill()])
  await until('every reader has read the end', async () => {
    const counts = await Promise.all(readers.map((reader) => reader.follow()))
    return counts.every((found) => found.length === 0)
  })
  return { committed, doubtful, readers, kills }
}
