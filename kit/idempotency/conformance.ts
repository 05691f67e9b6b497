/**
 * What every store of idempotency keys must do: a record is written once, whole, by one of those who race for it, and comes
 * back byte for byte (I9).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { KeyJanitor, KeyRecord, KeyStore } from './port.ts'

export interface KeyTransaction {
  /** Milliseconds by the store's clock. */
  readonly begun: Promise<number>
  readonly keys: KeyStore
  commit(): Promise<void>
  rollback(): Promise<void>
}

export interface KeyAdapter {
  readonly janitor: KeyJanitor
  begin(): Promise<KeyTransaction>
  /** Resolves once somebody waits for a lock. */
  blocked(): Promise<void>
  close(): Promise<void>
}

const HOUR_MS = 3_600_000

export function keyConformance(name: string, open: () => Promise<KeyAdapter>): void {
  describe(`idempotency keys over ${name}`, () => {
    let adapter: KeyAdapter
    let count = 0
    beforeAll(async () => {
      adapter = await open()
    })
    beforeEach(() => {
      count++
    })
    afterAll(() => adapter.close())

    const begin = async (): Promise<KeyTransaction & { at: number }> => {
      const tx = await adapter.begin()
      return { ...tx, at: await tx.begun }
    }
    const id = (key: string) => `${count}.${key}`
    const record = (key: string, expiresAt: number, rest: Partial<KeyRecord> = {}): KeyRecord => ({
      id: id(key),
      fingerprint: `asked ${key}`,
      status: 201,
      headers: {},
      body: '{}',
      requestId: 'request',
      expiresAt,
      ...rest,
    })
    /** Writes in a transaction of its own, in the place of what is expired. Gives 'committed' or the SQLSTATE. */
    const write = async (keys: readonly string[], { ttlMs = HOUR_MS, by = 'somebody' } = {}) => {
      const tx = await begin()
      try {
        const expired = (await tx.keys.read(keys.map(id))).filter(({ expiresAt }) => expiresAt <= tx.at)
        await tx.keys.write(
          keys.map((key) => record(key, tx.at + ttlMs, { body: by })),
          expired,
        )
        await tx.commit()
        return 'committed'
      } catch (error) {
        await tx.rollback()
        return (error as { code?: string }).code ?? String(error)
      }
    }
    const read = async (...keys: string[]) => {
      const tx = await begin()
      const records = await tx.keys.read(keys.map(id))
      await tx.rollback()
      return records.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    }
    const writers = async (...keys: string[]) => (await read(...keys)).map(({ body }) => body)

    it('gives the reply back byte for byte', async () => {
      const tx = await begin()
      const odd = record('a', tx.at + 1234, {
        status: 422,
        headers: { Location: '/v1/orders/ord_1', ETag: '"3"', 'X-Odd': 'ñ \\ {"} NULL' },
        body: '{"detail":"ñ 🚲 \\\\ \\" {} \\u0000 \u2028"}',
      })
      const empty = record('b', tx.at + 1234, { status: 204, body: '' })
      await tx.keys.write([empty, odd], [])
      await tx.commit()
      const [a, b, ...others] = await read('a', 'b', 'c')
      expect([a, b, others]).toEqual([odd, empty, []])
    })

    it('writes all or nothing', async () => {
      expect(await write(['a'])).toBe('committed')
      expect(await write(['c', 'a', 'b'])).toBe('23505')
      expect(await read('b', 'c')).toEqual([])
      const tx = await begin()
      await tx.keys.write([record('b', tx.at + HOUR_MS)], [])
      expect(await tx.keys.read([id('b')])).toHaveLength(1)
      expect(await read('b')).toEqual([])
      await tx.rollback()
      expect(await read('b')).toEqual([])
    })

    it('makes a racer wait, and refuses it when the first commits', async () => {
      const first = await begin()
      await first.keys.write([record('a', first.at + HOUR_MS, { body: 'first' })], [])
      const racing = write(['a'], { by: 'second' })
      await adapter.blocked()
      await first.commit()
      expect(await racing).toBe('23505')
      expect(await writers('a')).toEqual(['first'])
    })

    it('lets a racer have it when the first gives up', async () => {
      const first = await begin()
      await first.keys.write([record('a', first.at + HOUR_MS, { body: 'first' })], [])
      const racing = write(['a'], { by: 'second' })
      await adapter.blocked()
      await first.rollback()
      expect(await racing).toBe('committed')
      expect(await writers('a')).toEqual(['second'])
    })

    it('lets many race for many in any order: no deadlock, one writer for all of them', async () => {
      const keys = Array.from({ length: 30 }, (_, i) => `k${i}`)
      const race = (n: number) => write(n % 2 ? keys : keys.toReversed(), { by: `racer ${n}` })
      const outcomes = await Promise.all(Array.from({ length: 12 }, (_, n) => race(n)))
      expect(outcomes.toSorted()).toEqual([...Array.from({ length: 11 }, () => '23505'), 'committed'])
      expect(new Set(await writers(...keys)).size).toBe(1)
    })

    it('puts a new record in the place of an expired one, for one of those who race for it', async () => {
      const keys = Array.from({ length: 10 }, (_, i) => `k${i}`)
      await write(keys, { ttlMs: -1000, by: 'old' })
      const race = (n: number) => write(n % 2 ? keys : keys.toReversed(), { by: `racer ${n}` })
      const outcomes = await Promise.all(Array.from({ length: 8 }, (_, n) => race(n)))
      expect(outcomes.toSorted()).toEqual([...Array.from({ length: 7 }, () => '23505'), 'committed'])
      const bodies = await writers(...keys)
      expect(bodies).toHaveLength(10)
      expect(new Set(bodies).size).toBe(1)
      expect(bodies[0]).toMatch(/^racer/)
    })

    it('does not remove what was put in the place of an expired record meanwhile', async () => {
      await write(['a'], { ttlMs: -1000, by: 'old' })
      const slow = await begin()
      const found = await slow.keys.read([id('a')])
      expect(await write(['a'], { by: 'fast' })).toBe('committed')
      const late = slow.keys.write([record('a', slow.at + HOUR_MS, { body: 'slow' })], found)
      await expect(late).rejects.toMatchObject({ code: '23505' })
      await slow.rollback()
      expect(await writers('a')).toEqual(['fast'])
    })

    it('gives expired records too, since a verdict needs to know of them', async () => {
      await write(['a'], { ttlMs: -1000 })
      expect(await read('a')).toHaveLength(1)
    })

    it('removes what is expired, so many at a time, and nothing else', async () => {
      while ((await adapter.janitor.removeExpired(1000)) > 0);
      await write(['a', 'b', 'c'], { ttlMs: -1000 })
      await write(['d'])
      expect(await adapter.janitor.removeExpired(2)).toBe(2)
      expect(await adapter.janitor.removeExpired(2)).toBe(1)
      expect(await adapter.janitor.removeExpired(2)).toBe(0)
      expect((await read('a', 'b', 'c', 'd')).map((one) => one.id)).toEqual([id('d')])
    })

    it('passes over an expired record that somebody is using anew', async () => {
      while ((await adapter.janitor.removeExpired(1000)) > 0);
      await write(['a', 'b'], { ttlMs: -1000 })
      const tx = await begin()
      await tx.keys.write([record('a', tx.at + HOUR_MS, { body: 'anew' })], await tx.keys.read([id('a')]))
      expect(await adapter.janitor.removeExpired(10)).toBe(1)
      await tx.commit()
      expect(await writers('a', 'b')).toEqual(['anew'])
    })
  })
}
