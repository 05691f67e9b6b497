import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemTimers } from '../core/clock.ts'
import { ManualTime } from '../core/manual-time.ts'
import { until } from '../pipeline/testing.ts'
import { blame, CommitUnknownError, DatabaseUnavailableError, isUnavailable, NotCommittedError } from './errors.ts'
import { createPool, type Pool } from './pool.ts'
import { createTestDatabase, type TestDatabase } from './testing.ts'
import { wireTo, type Wire } from './embedded/wire.ts'
import { beginTransaction, type PostgresTransaction } from './transaction.ts'

let named = 0
/** A statement with a name of its own. */
const sql = (text: string) => ({ name: `test.${named++}`, text })
const insert = { name: 'test.insert', text: 'INSERT INTO notes (id) VALUES ($1)' }
const divide = { name: 'test.divide', text: 'SELECT 1 / $1::int' }

let database: TestDatabase
let wire: Wire
let pool: Pool
/** Straight to the server, to look and to break. */
let direct: Pool

beforeAll(async () => {
  database = await createTestDatabase('transaction')
  direct = createPool({ url: database.url, purpose: 'read', size: 2 })
  await direct.query(
    sql('CREATE TABLE notes (id text PRIMARY KEY, other text REFERENCES notes DEFERRABLE INITIALLY DEFERRED)'),
    [],
  )
  wire = await wireTo(() => Number(new URL(database.url).port), systemTimers)
})
beforeEach(() => {
  pool = createPool({ url: wire.by(database.url), purpose: 'pipeline', size: 4 })
})
afterEach(async () => {
  wire.swallow('nothing')
  // Whatever happened, every connection came back.
  const { total, idle, waiting } = pool.usage()
  expect({ out: total - idle, waiting }).toEqual({ out: 0, waiting: 0 })
  await pool.close()
})
afterAll(async () => {
  await wire.close()
  await direct.close()
  await database.drop()
})

const begin = () => beginTransaction(pool, systemTimers)
const ids = async () =>
  (await direct.query<{ id: string }>(sql('SELECT id FROM notes ORDER BY id'), [])).map(({ id }) => id)
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as Error & { code?: string },
  )
const pidOf = async (tx: PostgresTransaction) =>
  (await tx.read<{ pid: number }>({ name: 'test.pid', text: 'SELECT pg_backend_pid() AS pid' }, []))[0]!.pid
const terminate = (pid: number) => direct.query(sql('SELECT pg_terminate_backend($1::int)'), [pid])
const gone = (pid: number) =>
  until(
    `backend ${pid} is gone`,
    async () =>
      (await direct.query({ name: 'test.alive', text: 'SELECT FROM pg_stat_activity WHERE pid = $1::int' }, [pid]))
        .length === 0,
  )

/** A transaction with one row in it. */
async function withRow(id: string): Promise<PostgresTransaction> {
  const tx = await begin()
  await tx.begun
  await tx.write(insert, [id])
  return tx
}

describe('T1 nothing is written before BEGIN is confirmed', () => {
  it('a write is refused, reads and locks may go', async () => {
    const tx = await begin()
    const reading = tx.read<{ one: number }>(sql('SELECT 1 AS one'), [])
    expect(() => tx.write(insert, ['early'])).toThrow('before BEGIN was confirmed')
    expect(await reading).toEqual([{ one: 1 }])
    expect(Math.abs((await tx.begun) - Date.now())).toBeLessThan(60_000)
    await tx.write(insert, ['t1'])
    await tx.commit()
    expect(await ids()).toContain('t1')
    expect(await ids()).not.toContain('early')
  })

  it('nor behind a BEGIN that failed', async () => {
    // A connection that somebody left in a failed transaction, where BEGIN fails.
    pool = await replaced(pool, 1)
    const client = await pool.acquire()
    await client.query('BEGIN')
    await errorOf(client.query('SELECT 1 / 0'))
    client.release()
    const tx = await begin()
    expect((await errorOf(tx.begun))?.code).toBe('25P02')
    expect(() => tx.write(insert, ['behind'])).toThrow('before BEGIN was confirmed')
    await tx.rollback()
    const next = await withRow('after a failed BEGIN')
    await next.commit()
    expect(await ids()).toContain('after a failed BEGIN')
    expect(await ids()).not.toContain('behind')
  })
})

describe('T2 committed means the tag COMMIT without a warning', () => {
  it('a COMMIT behind a failed statement is none, sent in one flush or one by one', async () => {
    const tx = await begin()
    await tx.begun
    const all = [tx.write(insert, ['t2a']), tx.read(divide, [0]), tx.write(insert, ['t2b']), tx.commit()]
    const errors = await Promise.all(all.map(errorOf))
    expect(errors.map((error) => error?.code)).toEqual([undefined, '22012', '25P02', undefined])
    expect(errors[3]).toBeInstanceOf(NotCommittedError)
    expect(errors[3]!.message).toContain('ROLLBACK')
    await tx.rollback()
    const slow = await withRow('t2c')
    await errorOf(slow.read(divide, [0]))
    expect(await errorOf(slow.commit())).toBeInstanceOf(NotCommittedError)
    await slow.rollback()
    expect((await ids()).filter((id) => id.startsWith('t2'))).toEqual([])
  })

  it('a COMMIT with a warning is none', async () => {
    const tx = await withRow('t2 ended')
    // The transaction ends behind our back; COMMIT then answers COMMIT, and that there was none.
    await tx.read({ name: 'test.end', text: 'ROLLBACK' }, [])
    const error = await errorOf(tx.commit())
    expect(error).toBeInstanceOf(NotCommittedError)
    expect(error!.message).toContain('25P01')
    expect([blame(error), isUnavailable(error)]).toEqual(['unavailable', true])
    await tx.rollback()
    expect(await ids()).not.toContain('t2 ended')
  })

  it('what a trigger warns of in the same flush is not about the COMMIT', async () => {
    const tx = await begin()
    await tx.begun
    const warning = sql(`DO $$ BEGIN RAISE WARNING 'stock is low'; RAISE NOTICE 'by the way'; END $$`)
    await Promise.all([tx.write(insert, ['t2 warned']), tx.write(warning, []), tx.commit()])
    expect(await ids()).toContain('t2 warned')
  })

  it('what the server refuses at COMMIT is an answer, with its own code', async () => {
    const tx = await begin()
    await tx.begun
    await tx.write(sql(`INSERT INTO notes VALUES ('t2 orphan', 'nobody')`), [])
    const error = await errorOf(tx.commit())
    expect([error?.code, blame(error)]).toEqual(['23503', 'input'])
    await tx.rollback()
    expect(await ids()).not.toContain('t2 orphan')
  })

  it('listens for warnings no longer than it commits', async () => {
    pool = await replaced(pool, 1)
    for (let i = 0; i < 15; i++) await (await withRow(`listener ${i}`)).commit()
    const client = await pool.acquire()
    expect(client.listenerCount('notice')).toBe(0)
    expect(client.listenerCount('error')).toBeLessThan(4)
    client.release()
  })
})

describe('T3 a lost answer to COMMIT is in doubt', () => {
  it('when it was carried out', async () => {
    const tx = await withRow('t3 carried out')
    wire.swallow('answers')
    const committing = errorOf(tx.commit())
    await until('it is committed', async () => (await ids()).includes('t3 carried out'))
    wire.cut()
    const error = await committing
    expect(error).toBeInstanceOf(CommitUnknownError)
    expect([blame(error), isUnavailable(error)]).toEqual(['unknown-commit', true])
    await tx.rollback()
  })

  it('when it never arrived', async () => {
    const tx = await withRow('t3 never arrived')
    wire.onRequest('commit', () => {
      wire.swallow('everything')
      wire.cut()
    })
    expect(await errorOf(tx.commit())).toBeInstanceOf(CommitUnknownError)
    await tx.rollback()
    expect(await ids()).not.toContain('t3 never arrived')
  })

  it('when the connection had gone before', async () => {
    const tx = await withRow('t3 gone')
    const pid = await pidOf(tx)
    await terminate(pid)
    await gone(pid)
    expect(await errorOf(tx.commit())).toBeInstanceOf(CommitUnknownError)
    await tx.rollback()
    expect(await ids()).not.toContain('t3 gone')
  })
})

describe('T4 a transaction that outlives its limit loses its connection', () => {
  it('also when the network swallows everything, and the server rolls back', async () => {
    const time = new ManualTime()
    const tx = await beginTransaction(pool, time)
    await tx.begun
    await tx.write(insert, ['t4'])
    const pid = await pidOf(tx)
    wire.swallow('everything')
    const [reading, committing] = [errorOf(tx.read(divide, [1])), errorOf(tx.commit())]
    await time.advance(14_999)
    expect(pool.usage().total).toBe(1)
    await time.advance(1)
    expect((await reading)?.message).toContain('Connection terminated')
    expect(await committing).toBeInstanceOf(CommitUnknownError)
    expect(pool.usage()).toEqual({ total: 0, idle: 0, waiting: 0 })
    await tx.rollback()
    await gone(pid)
    expect(await ids()).not.toContain('t4')
    wire.swallow('nothing')
    await (await withRow('t4 next')).commit()
    expect(time.pending).toBe(0)
  })

  it('sets no timer that outlives the transaction', async () => {
    const time = new ManualTime()
    const [a, b] = [await beginTransaction(pool, time), await beginTransaction(pool, time)]
    await Promise.all([a.begun, b.begun])
    await a.commit()
    await b.rollback()
    expect(time.pending).toBe(0)
    await time.advance(60_000)
    expect(pool.usage()).toEqual({ total: 2, idle: 2, waiting: 0 })
  })

  it('the server’s own limits leave a connection that is used again, or one that is closed', async () => {
    const tx = await withRow('t4 slow')
    await tx.read(sql(`SET LOCAL statement_timeout = '20ms'`), [])
    const error = await errorOf(tx.read(sql('SELECT pg_sleep(10)'), []))
    expect([error?.code, blame(error)]).toEqual(['57014', 'unavailable'])
    await tx.rollback()
    expect(pool.usage()).toMatchObject({ total: 1, idle: 1 })
    const idle = await withRow('t4 idle')
    const pid = await pidOf(idle)
    await idle.read(sql(`SET idle_in_transaction_session_timeout = '20ms'`), [])
    await gone(pid)
    const late = await errorOf(idle.commit())
    expect(isUnavailable(late)).toBe(true)
    await idle.rollback()
    expect(await ids()).not.toContain('t4 idle')
  })
})

describe('rolling back', () => {
  it('never throws, also twice, late, and on a dead connection', async () => {
    const tx = await withRow('r1')
    await tx.rollback()
    await tx.rollback()
    const committed = await withRow('r2')
    await committed.commit()
    await committed.rollback()
    const dead = await withRow('r3')
    wire.cut()
    await dead.rollback()
    expect((await ids()).filter((id) => id.startsWith('r'))).toEqual(['r2'])
  })
})

describe('the pool', () => {
  it('recovers when backends are terminated: those at work and those that idle', async () => {
    const errors: Error[] = []
    await pool.close()
    pool = createPool({
      url: wire.by(database.url),
      purpose: 'pipeline',
      size: 4,
      onError: (error) => errors.push(error),
    })
    const [idle, working] = [await withRow('p1'), await withRow('p2')]
    const pids = [await pidOf(idle), await pidOf(working)]
    await idle.commit()
    for (const pid of pids) await terminate(pid)
    for (const pid of pids) await gone(pid)
    await until('the pool has noticed', () => pool.usage().idle === 0)
    expect(errors).toHaveLength(1)
    expect(isUnavailable(await errorOf(working.read(divide, [1])))).toBe(true)
    await working.rollback()
    await (await withRow('p3')).commit()
    expect((await ids()).filter((id) => id.startsWith('p'))).toEqual(['p1', 'p3'])
  })

  it('recovers when the server was away', async () => {
    await (await withRow('s1')).commit()
    await wire.down()
    await until('the pool has noticed', () => pool.usage().total === 0)
    const error = await errorOf(begin())
    expect(error).toBeInstanceOf(DatabaseUnavailableError)
    expect(isUnavailable(await errorOf(pool.query(divide, [1])))).toBe(true)
    await wire.up()
    await (await withRow('s2')).commit()
    expect((await ids()).filter((id) => id.startsWith('s'))).toEqual(['s1', 's2'])
  })

  it('has every connection back after whatever happened', async () => {
    const one = async (n: number) => {
      const tx = await begin()
      try {
        await tx.begun
        await tx.write(insert, [`leak ${n}`])
        if (n % 4 === 1) await tx.read(divide, [0])
        if (n % 4 === 2) throw new Error('a bug')
        if (n % 8 === 3) await terminate(await pidOf(tx))
        await tx.commit()
      } catch {
        await tx.rollback()
      }
    }
    await Promise.all(Array.from({ length: 80 }, (_, n) => one(n)))
    expect(pool.usage().waiting).toBe(0)
    expect(pool.usage().idle).toBe(pool.usage().total)
    const { length } = (await ids()).filter((id) => id.startsWith('leak'))
    // A quarter each: committed, failed, thrown, and of the last half were killed.
    expect(length).toBe(30)
  })

  it('refuses after three seconds when every connection is out', async () => {
    pool = await replaced(pool, 1)
    const tx = await begin()
    await tx.begun
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const waiting = errorOf(begin())
      await vi.advanceTimersByTimeAsync(3000)
      expect(await waiting).toBeInstanceOf(DatabaseUnavailableError)
    } finally {
      vi.useRealTimers()
    }
    await tx.rollback()
  })

  it('keeps a connection whose statement was refused', async () => {
    expect((await errorOf(pool.query(divide, [0])))?.code).toBe('22012')
    expect(await pool.query(divide, [1])).toHaveLength(1)
    expect(pool.usage()).toMatchObject({ total: 1, idle: 1 })
  })
})

async function replaced(old: Pool, size: number): Promise<Pool> {
  await old.close()
  return createPool({ url: wire.by(database.url), purpose: 'pipeline', size })
}
