/**
 * What every store of declared rows must do, whatever it stores them in. Both adapters run this suite; that they also agree
 * on batches nobody thought of is the property in rows.db.test.ts.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RowChanges } from './rows.ts'
import {
  asStored,
  changes,
  marks,
  moves,
  oddThing,
  read,
  save,
  thing,
  things,
  wild,
  type RowAdapter,
  type Thing,
} from './testing-rows.ts'

export function rowsConformance(name: string, open: () => Promise<RowAdapter>): void {
  describe(`rows over ${name}`, () => {
    let adapter: RowAdapter
    let test = 0
    beforeAll(async () => {
      adapter = await open()
    })
    beforeEach(() => {
      test++
    })
    afterAll(() => adapter.close())

    /** Keys and places of one test. */
    const k = (key: string) => `${test}.${key}`
    const one = (key: string, rest: Partial<Thing> = {}) => thing(k(key), rest)
    const saveThings = (rest: Partial<RowChanges>) => save(adapter, things, rest)
    const readThings = (...keys: string[]) => read(adapter, things, keys.map(k))

    it('give back what was put in, to the last bit', async () => {
      let count = 0
      const ids = fc.tuple(wild, fc.constant('')).map(([value]) => `${value}#`)
      await fc.assert(
        fc.asyncProperty(fc.array(oddThing(ids), { minLength: 1, maxLength: 8 }), async (made) => {
          const run = ++count
          // Other places than those of the runs before, and no two alike.
          const rows = made.map((row, i) => ({
            ...row,
            id: `${k(row.id)}${run}.${i}`,
            shelf: row.shelf === null ? null : `${row.shelf}${run}.${i}`,
          }))
          expect(await saveThings({ inserted: rows })).toBe('committed')
          const keys = rows.map((row) => row.id)
          expect(await read(adapter, things, keys)).toEqual(rows.map(asStored))
          const changed = rows.map((row, i) => ({
            ...rows[(i + 1) % rows.length]!,
            id: row.id,
            owner: row.owner,
            shelf: row.shelf,
          }))
          expect(await saveThings({ updated: changed })).toBe('committed')
          expect(await read(adapter, things, keys)).toEqual(changed.map(asStored))
        }),
        { numRuns: 40 },
      )
    })

    it('give only what is there, and cut off what is no column', async () => {
      await saveThings({ inserted: [{ ...one('a'), extra: 1, data: { kept: 1, dropped: undefined } }] })
      expect(await readThings('a', 'b')).toEqual([one('a', { data: { kept: 1 } })])
      expect(await readThings('b')).toEqual([])
    })

    it('take words of SQL for columns', async () => {
      const row = { order: k('a'), from: 'here', to: null }
      expect(await save(adapter, moves, { inserted: [row] })).toBe('committed')
      expect(await save(adapter, moves, { updated: [{ ...row, to: 'there' }] })).toBe('committed')
      expect(await read(adapter, moves, [k('a')])).toEqual([{ ...row, to: 'there' }])
    })

    it('refuse what the rules refuse, all of it', async () => {
      await saveThings({ inserted: [one('old', { shelf: k('x'), slot: 1 })] })
      const refused: [string, object][] = [
        ['23505', one('old')],
        ['23505', one('b', { shelf: k('x'), slot: 1 })],
        ['23514', one('b', { reserved: 6 })],
        ['23514', one('b', { reserved: -1 })],
        ['23514', one('b', { doneAt: 0 })],
        ['23502', { ...one('b'), onHand: null }],
        ['23502', { ...one('b'), data: undefined }],
        ['23502', { ...one('b'), madeAt: undefined }],
      ]
      for (const [code, row] of refused) {
        expect(await saveThings({ inserted: [one('first'), row, one('last')] }), JSON.stringify(row)).toBe(code)
      }
      expect(await readThings('old', 'first', 'b', 'last')).toEqual([one('old', { shelf: k('x'), slot: 1 })])
    })

    it('refuse values that no column can hold, before anything is sent', async () => {
      const bad: Partial<Record<keyof Thing, unknown>>[] = [
        { owner: 'a\0b' },
        { owner: 'half a pair \ud83d' },
        { owner: 5 },
        { onHand: 0.5 },
        { onHand: Number.NaN },
        { onHand: 2 ** 53 },
        { onHand: '5' },
        { active: 'yes' },
        { madeAt: Number.NaN },
        { madeAt: 253_402_300_800_000 },
        { madeAt: '2026-01-01' },
        { data: 1n },
      ]
      for (const values of bad) {
        const row = { ...one('bad'), ...values }
        expect(await saveThings({ inserted: [one('good'), row] }), String(Object.values(values))).toBe('22000')
        expect(
          await saveThings({
            updated: [
              { ...row, owner: 'ana' },
              { ...one('bad'), onHand: Number.NaN },
            ],
          }),
        ).toBe('22000')
      }
      expect(await readThings('good', 'bad')).toEqual([])
    })

    it('cut off fractions of a millisecond', async () => {
      await saveThings({ inserted: [one('a', { madeAt: 1.9, doneAt: 17_400.999 })] })
      expect(await readThings('a')).toEqual([one('a', { madeAt: 1, doneAt: 17_400 })])
    })

    it('take a unique set with a null in it for unlike every other', async () => {
      const rows = ['a', 'b'].map((key) => one(key, { shelf: k('x') }))
      expect(await saveThings({ inserted: rows })).toBe('committed')
      expect(
        await saveThings({
          updated: [
            { ...rows[0]!, slot: 1 },
            { ...rows[1]!, slot: 1 },
          ],
        }),
      ).toBe('23505')
      expect(
        await saveThings({
          updated: [
            { ...rows[0]!, slot: 1 },
            { ...rows[1]!, slot: 2 },
          ],
        }),
      ).toBe('committed')
      expect(
        await saveThings({
          updated: [
            { ...rows[0]!, slot: null },
            { ...rows[1]!, slot: 1 },
          ],
        }),
      ).toBe('committed')
    })

    it('keep fixed columns as they were inserted', async () => {
      await saveThings({ inserted: [one('a')] })
      expect(await saveThings({ updated: [{ ...one('a', { onHand: 9 }), owner: 'bob' }] })).toBe('committed')
      expect(await saveThings({ updated: [{ ...one('a', { onHand: 8 }), owner: null }] })).toBe('committed')
      expect(await readThings('a')).toEqual([one('a', { onHand: 8 })])
      await save(adapter, marks, { inserted: [{ id: k('a'), by: 'ana' }] })
      expect(await save(adapter, marks, { updated: [{ id: k('a'), by: 'bob' }] })).toBe('committed')
      expect(await read(adapter, marks, [k('a')])).toEqual([{ id: k('a'), by: 'ana' }])
    })

    it('update and remove nothing where nothing is', async () => {
      expect(await saveThings({ updated: [one('a')], removed: [k('b')] })).toBe('committed')
      expect(await readThings('a', 'b')).toEqual([])
    })

    it('let one row take what another gives up: removed first, then updated, then inserted', async () => {
      const place = (n: number) => ({ shelf: k('x'), slot: n })
      await saveThings({ inserted: [one('a', place(1)), one('b', place(2)), one('c', place(3))] })
      const outcome = await saveThings({
        removed: [k('a')],
        updated: [one('b', place(1)), one('c', place(2))],
        inserted: [one('a', { owner: 'bob', ...place(3) })],
      })
      expect(outcome).toBe('committed')
      expect(await readThings('a', 'b', 'c')).toEqual([
        one('a', { owner: 'bob', ...place(3) }),
        one('b', place(1)),
        one('c', place(2)),
      ])
    })

    it('leave nothing behind after a rollback', async () => {
      await saveThings({ inserted: [one('a')] })
      const tx = await adapter.begin()
      await tx.begun
      await tx.rows.save(things, changes({ removed: [k('a')], inserted: [one('b')] }))
      expect(await tx.rows.load(things, [k('a'), k('b')], false)).toEqual([one('b')])
      await tx.rollback()
      expect(await readThings('a', 'b')).toEqual([one('a')])
    })

    it('hold a locked row against other writers until the end, and show them what was written', async () => {
      await saveThings({ inserted: [one('a')] })
      const [first, second] = [await adapter.begin(), await adapter.begin()]
      await Promise.all([first.begun, second.begun])
      await first.rows.load(things, [k('a')], true)
      const waiting = second.rows.load(things, [k('a')], true)
      await adapter.blocked()
      // A reader does not wait.
      expect(await readThings('a')).toEqual([one('a')])
      await first.rows.save(things, changes({ updated: [one('a', { onHand: 6 })] }))
      await first.commit()
      expect(await waiting).toEqual([one('a', { onHand: 6 })])
      await second.rollback()
    })

    it('lock in one order, whatever the order of asking', async () => {
      const keys = Array.from({ length: 20 }, (_, i) => `row${i}`)
      await saveThings({ inserted: keys.map((key) => one(key, { onHand: 0 })) })
      const add = async (order: readonly string[]) => {
        const tx = await adapter.begin()
        await tx.begun
        const rows = (await tx.rows.load(things, order, true)) as Thing[]
        await tx.rows.save(things, changes({ updated: rows.map((row) => ({ ...row, onHand: row.onHand + 1 })) }))
        await tx.commit()
      }
      const mine = keys.map(k)
      await Promise.all(Array.from({ length: 12 }, (_, i) => add(i % 2 ? mine : mine.toReversed())))
      expect(new Set((await readThings(...keys)).map((row) => (row as Thing).onHand))).toEqual(new Set([12]))
    })

    it('make the second inserter of a key or a unique value wait for the first', async () => {
      const place = { shelf: k('x'), slot: 1 }
      for (const [end, expected] of [
        ['commit', '23505'],
        ['rollback', 'committed'],
      ] as const) {
        for (const rival of ['same', 'other']) {
          const key = `${end}.${rival}`
          const first = await adapter.begin()
          await first.begun
          await first.rows.save(things, changes({ inserted: [one(key, { ...place, shelf: k(key) })] }))
          const waiting = saveThings({
            inserted: [one(rival === 'same' ? key : `${key}2`, { ...place, shelf: k(key) })],
          })
          await adapter.blocked()
          await first[end]()
          expect(await waiting, key).toBe(expected)
        }
      }
    })
  })
}
