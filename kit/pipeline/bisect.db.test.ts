import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isUnavailable } from '../database/errors.ts'
import { bisectSuite } from './testing-bisect.ts'
import { add, queueOver } from './testing-commands.ts'
import { counters, openWorld, until, type World } from './testing.ts'

/** Refuses as often as the sequence allows: sequences do not roll back, so each transaction is refused once more. */
const refusal = (code: string, times: number) => `
  CREATE SEQUENCE tally.refusals;
  CREATE FUNCTION tally.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('tally.refusals') <= ${Math.min(times, 1e9)} THEN RAISE EXCEPTION 'refused' USING ERRCODE = '${code}'; END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER refuse AFTER INSERT OR UPDATE ON tally.counters FOR EACH STATEMENT EXECUTE FUNCTION tally.refuse()`

const acceptance = `
  DROP TRIGGER IF EXISTS refuse ON tally.counters;
  DROP FUNCTION IF EXISTS tally.refuse;
  DROP SEQUENCE IF EXISTS tally.refusals`

describe('blame over PostgreSQL', () => {
  bisectSuite(async () => {
    const world = await openWorld('postgres')
    return {
      world,
      async refuse(code, times = Infinity) {
        await world.sql(acceptance)
        if (code !== undefined) await world.sql(refusal(code, times))
      },
    }
  })
})

describe('the weather of a real PostgreSQL', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorld('postgres')
  })
  afterAll(() => world.close())

  it('a database that has become read-only: callers are told, and all goes on when it takes writes again', async () => {
    const set = (value: string) =>
      world.sql(`ALTER DATABASE ${new URL(world.url!).pathname.slice(1)} SET default_transaction_read_only = ${value}`)
    await set('on')
    const readOnly = await world.connect().catch((error: unknown) => error)
    // Even the look at the lanes at the start is refused; connections made before go on.
    expect(readOnly).toMatchObject({ code: '25006' })
    await world.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'cauce%'`)
    const queue = queueOver(world.tally)
    await until('the pool has noticed', async () => {
      const error: unknown = await queue.submit(add({ key: 'a' }, 'key')).catch((reason: unknown) => reason)
      expect(isUnavailable(error)).toBe(true)
      return (error as { code?: string }).code === '25006'
    })
    await set('off')
    await world.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'cauce%'`)
    await until('it takes writes again', () =>
      queue.submit(add({ key: 'a' }, 'key')).then(
        () => true,
        () => false,
      ),
    )
    expect(await world.tally.rows(counters)).toMatchObject([{ key: 'a', value: 1 }])
  })

  it('a real deadlock with somebody else: the batch is the victim, runs again, and has its effect once', async () => {
    const name = new URL(world.url!).pathname.slice(1)
    // Looked for once, so it must be there by then, also on a slow machine; and before the lock's own timeout of 2 s.
    await world.sql(`ALTER DATABASE ${name} SET deadlock_timeout = '1s'`)
    const sites = await world.connect()
    await world.sql(`ALTER DATABASE ${name} RESET deadlock_timeout`)
    const setup = queueOver(sites.tally)
    await Promise.all(['dead1', 'dead2'].map((key) => setup.submit(add({ key }))))
    // The rival takes the second row first, as no transaction of a service would, and waits longer than the batch.
    await world.sql(`SET deadlock_timeout = '10s'`)
    await world.sql('BEGIN')
    await world.sql(`SELECT FROM tally.counters WHERE key = 'dead2' FOR UPDATE`)
    const pauses: number[] = []
    const timers = { sleep: async (ms: number) => void pauses.push(ms), after: () => () => undefined }
    const queue = queueOver(sites.tally, { timers, random: { next: () => 0.5 } })
    const answers = Promise.all(['dead1', 'dead2'].map((key) => queue.submit(add({ key, seq: 2 }, `key of ${key}`))))
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    await until('the batch waits', async () => (await world.sql(waiting)).length > 0)
    await world.sql(`SELECT FROM tally.counters WHERE key = 'dead1' FOR UPDATE`)
    await world.sql('COMMIT')
    await answers
    expect(pauses).toEqual([10])
    const rows = await world.tally.rows(counters)
    expect(rows.filter(({ key }) => key.startsWith('dead'))).toMatchObject([{ history: [1, 2] }, { history: [1, 2] }])
    await sites.close()
  })
})
