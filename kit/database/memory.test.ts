import { describe, expect, it } from 'vitest'
import { ManualTime } from '../core/manual-time.ts'
import { DatabaseUnavailableError, NotCommittedError } from './errors.ts'
import { MemoryDatabase, type MemoryTransaction } from './memory.ts'

const make = () => {
  const time = new ManualTime()
  return { time, database: new MemoryDatabase({ clock: time, timers: time }) }
}

const put = (tx: MemoryTransaction, key: string, value: number) => tx.run(() => tx.put('t', key, { value }))
const valueOf = (row: object | undefined) => (row as { value: number } | undefined)?.value
const get = (tx: MemoryTransaction, key: string) => tx.run(() => valueOf(tx.get('t', key)))
const lock = (tx: MemoryTransaction, key: string) => tx.run(() => tx.lock('t', key))
const committed = (database: MemoryDatabase, key: string) => valueOf(database.committed('t').get(key))
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (error: unknown) => (error as { code?: string }).code,
  )

describe('a transaction in memory', () => {
  it('shows its writes to itself, to others after commit, and to nobody after rollback', async () => {
    const { database } = make()
    const [a, b] = [database.begin(), database.begin()]
    await put(a, 'x', 1)
    expect([await get(a, 'x'), await get(b, 'x')]).toEqual([1, undefined])
    await a.commit()
    expect(await get(b, 'x')).toBe(1)
    await put(b, 'x', 2)
    await b.rollback()
    expect(committed(database, 'x')).toBe(1)
  })

  it('sees what others commit meanwhile, statement by statement (READ COMMITTED)', async () => {
    const { database } = make()
    const reader = database.begin()
    expect(await get(reader, 'x')).toBeUndefined()
    await database.once((tx) => put(tx, 'x', 1))
    expect(await get(reader, 'x')).toBe(1)
    await reader.rollback()
  })

  it('M1 runs its statements in the order of their calls', async () => {
    const { database } = make()
    const other = database.begin()
    await lock(other, 'x')
    const tx = database.begin()
    const ran: string[] = []
    const all = [
      tx.run(async () => {
        await tx.lock('t', 'x')
        ran.push('waits for a lock')
      }),
      tx.run(() => void ran.push('does not')),
      tx.commit().then(() => ran.push('commit')),
    ]
    await Promise.resolve()
    expect(ran).toEqual([])
    await other.commit()
    await Promise.all(all)
    expect(ran).toEqual(['waits for a lock', 'does not', 'commit'])
  })

  it('stays failed after an error, and its COMMIT is none', async () => {
    const { database } = make()
    const tx = database.begin()
    const first = put(tx, 'x', 1)
    const failing = tx.run(() => {
      throw Object.assign(new Error('refused'), { code: '23514' })
    })
    const later = put(tx, 'y', 1)
    const commit = tx.commit()
    await first
    expect(await codeOf(failing)).toBe('23514')
    expect(await codeOf(later)).toBe('25P02')
    await expect(commit).rejects.toBeInstanceOf(NotCommittedError)
    expect([committed(database, 'x'), committed(database, 'y')]).toEqual([undefined, undefined])
  })

  it('M3 commits all of its rows between two awaits of anybody else', async () => {
    const { database } = make()
    const seen = new Set<string>()
    let done = false
    const watch = async () => {
      for (let i = 0; i < 10_000 && !done; i++) {
        seen.add(`${committed(database, 'x') ?? 0}/${committed(database, 'y') ?? 0}`)
        await Promise.resolve()
      }
    }
    const watching = watch()
    for (let i = 1; i <= 20; i++) {
      await database.once(async (tx) => {
        await put(tx, 'x', i)
        await put(tx, 'y', i)
      })
    }
    done = true
    await watching
    expect([...seen].filter((pair) => pair.split('/')[0] !== pair.split('/')[1])).toEqual([])
    expect(seen.size).toBeGreaterThan(5)
  })

  it('can do nothing after its end', async () => {
    const { database } = make()
    const tx = database.begin()
    await tx.commit()
    await expect(put(tx, 'x', 1)).rejects.toBeInstanceOf(DatabaseUnavailableError)
    await expect(tx.commit()).rejects.toBeInstanceOf(DatabaseUnavailableError)
    await tx.rollback()
    expect(committed(database, 'x')).toBeUndefined()
  })

  it.each(['53100', '25006'])(
    'writes nothing while the database refuses it (%s), and goes on afterwards',
    async (code) => {
      const { database } = make()
      database.refuseWrites = code
      const write = () => database.once((tx) => put(tx, 'x', 1))
      expect(await codeOf(write())).toBe(code)
      expect(await database.once((tx) => get(tx, 'x'))).toBeUndefined()
      database.refuseWrites = undefined
      expect(await codeOf(write())).toBe('fine')
      expect(committed(database, 'x')).toBe(1)
    },
  )
})

describe('locks in memory', () => {
  it('M2 are held to the end, and given in the order of asking', async () => {
    const { database } = make()
    const order: string[] = []
    const holder = database.begin()
    await lock(holder, 'x')
    const waiting = ['a', 'b', 'c'].map(async (name) => {
      const tx = database.begin()
      await lock(tx, 'x')
      order.push(name)
      await tx.commit()
    })
    await Promise.resolve()
    expect(order).toEqual([])
    await holder.rollback()
    await Promise.all(waiting)
    expect(order).toEqual(['a', 'b', 'c'])
  })

  it('make a reader wait for the writer, and show it what was written', async () => {
    const { database } = make()
    await database.once((tx) => put(tx, 'x', 1))
    const add = async () => {
      const tx = database.begin()
      await lock(tx, 'x')
      const value = (await get(tx, 'x'))!
      await put(tx, 'x', value + 1)
      await tx.commit()
    }
    await Promise.all(Array.from({ length: 50 }, add))
    expect(committed(database, 'x')).toBe(51)
  })

  it('are the holder’s own as often as it asks, and nobody else’s to try', async () => {
    const { database } = make()
    const [a, b] = [database.begin(), database.begin()]
    await lock(a, 'x')
    await lock(a, 'x')
    expect([a.tryLock('t', 'x'), b.tryLock('t', 'x'), b.tryLock('t', 'y')]).toEqual([true, false, true])
    await a.commit()
    expect(b.tryLock('t', 'x')).toBe(true)
    await b.commit()
  })

  it('in a cycle fail for the one who closes it, also over three and over a queue', async () => {
    const { database } = make()
    const [a, b, c] = [database.begin(), database.begin(), database.begin()]
    await Promise.all([lock(a, 'a'), lock(b, 'b'), lock(c, 'c')])
    const [ab, bc] = [codeOf(lock(a, 'b')), codeOf(lock(b, 'c'))]
    expect(await codeOf(lock(c, 'a'))).toBe('40P01')
    await c.rollback()
    expect(await bc).toBe('fine')
    await b.commit()
    expect(await ab).toBe('fine')
    await a.commit()
  })

  it('are not waited for longer than two seconds', async () => {
    const { time, database } = make()
    const [a, b, c] = [database.begin(), database.begin(), database.begin()]
    await lock(a, 'x')
    const waiting = codeOf(lock(b, 'x'))
    const behind = codeOf(lock(c, 'x'))
    // The holder goes on working, so it is not idle.
    for (let i = 0; i < 4; i++) {
      await time.advance(499)
      await get(a, 'x')
    }
    await time.advance(10)
    expect([await waiting, await behind]).toEqual(['55P03', '55P03'])
    await Promise.all([a.commit(), b.rollback(), c.rollback()])
    expect(time.pending).toBe(0)
  })

  it('of a transaction that idles for two seconds are freed, and it is over', async () => {
    const { time, database } = make()
    const idle = database.begin()
    await put(idle, 'x', 1)
    await lock(idle, 'x')
    await time.advance(1000)
    const next = database.begin()
    const waiting = codeOf(lock(next, 'x'))
    await time.advance(1500)
    expect(await waiting).toBe('fine')
    await expect(idle.commit()).rejects.toBeInstanceOf(DatabaseUnavailableError)
    await next.commit()
    expect([committed(database, 'x'), time.pending]).toEqual([undefined, 0])
  })

  it('leave nothing behind: no lock, no timer', async () => {
    const { time, database } = make()
    for (let i = 0; i < 10; i++) {
      const txs = Array.from({ length: 5 }, () => database.begin())
      await Promise.all(
        txs.map(async (tx, n) => {
          await codeOf(lock(tx, `k${n % 2}`))
          await codeOf(lock(tx, `k${(n + 1) % 2}`))
          await (n % 2 ? tx.commit().catch(() => undefined) : tx.rollback())
        }),
      )
    }
    expect(time.pending).toBe(0)
    const last = database.begin()
    expect([last.tryLock('t', 'k0'), last.tryLock('t', 'k1')]).toEqual([true, true])
    await last.commit()
  })
})

describe('scanning', () => {
  it('gives committed and own rows once, without what was removed', async () => {
    const { database } = make()
    await database.once((tx) => Promise.all([put(tx, 'a', 1), put(tx, 'b', 2), put(tx, 'c', 3)]))
    const tx = database.begin()
    await Promise.all([put(tx, 'b', 20), put(tx, 'd', 4), tx.run(() => tx.put('t', 'a', undefined))])
    const seen = await tx.run(() => Object.fromEntries([...tx.scan('t')].map(([key, row]) => [key, valueOf(row)])))
    expect(seen).toEqual({ b: 20, c: 3, d: 4 })
    await tx.commit()
    expect([...database.committed('t').keys()].toSorted()).toEqual(['b', 'c', 'd'])
  })
})
