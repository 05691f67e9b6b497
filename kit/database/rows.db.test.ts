/** The suite over PostgreSQL, and the proof that memory and PostgreSQL are the same: random batches, violating ones too. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld, until } from '../pipeline/testing.ts'
import { rowsConformance } from './conformance.ts'
import { read, sampleSql, sampleTables, save, thing, things, type RowAdapter, type Thing } from './testing-rows.ts'

const extra = { tables: sampleTables, sql: sampleSql }

async function postgres(): Promise<RowAdapter> {
  const { tally, sql, close } = await openWorld('postgres', { extra })
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  return {
    begin: () => tally.transactions.begin(),
    blocked: async () => void (await until('somebody waits for a lock', async () => (await sql(waiting)).length > 0)),
    close,
  }
}

async function memory(): Promise<RowAdapter> {
  const { tally, close } = await openWorld('memory', { extra })
  return { begin: () => tally.transactions.begin(), blocked: async () => undefined, close }
}

rowsConformance('PostgreSQL', postgres)

describe('memory and PostgreSQL', () => {
  let both: readonly [RowAdapter, RowAdapter]
  beforeAll(async () => {
    both = [await postgres(), await memory()]
  })
  afterAll(() => Promise.all(both.map((adapter) => adapter.close())))

  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const mostly = <T>(good: readonly T[], ...bad: readonly unknown[]) =>
    fc.oneof(
      { weight: 15, arbitrary: fc.constantFrom<unknown>(...good) },
      { weight: 1, arbitrary: fc.constantFrom(...bad) },
    )
  // Few values, so that rows meet: in their keys, their places and their rules.
  const row: fc.Arbitrary<object> = fc.record({
    id: fc.constantFrom(...ids),
    owner: mostly(['ana', 'bob'], null),
    shelf: fc.constantFrom('x', 'y', null),
    slot: fc.constantFrom(1, 2, 3, null),
    onHand: mostly([5, 9], 0, null, 0.5),
    reserved: mostly([0, 1], 5, -1, 6),
    doneAt: mostly([null, 1_800_000_000_000], 0, Number.NaN),
  })
  const batch = fc.record({
    removed: fc.subarray(ids, { maxLength: 3 }),
    updated: fc.uniqueArray(row, { selector: (r) => (r as Thing).id, maxLength: 4 }),
    inserted: fc.uniqueArray(row, { selector: (r) => (r as Thing).id, maxLength: 4 }),
  })
  const byId = (a: object, b: object) => ((a as Thing).id < (b as Thing).id ? -1 : 1)
  const full = (partial: object) => ({ ...thing(''), ...partial })

  it('accept the same batches, refuse the others for the same reason, and end with the same rows', async () => {
    const outcomes = new Map<string, number>()
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async (batches) => {
        const run = ++runs
        const mine = (r: object) => ({
          ...full(r),
          id: `${run}.${(r as Thing).id}`,
          shelf: (r as Thing).shelf && `${run}.${(r as Thing).shelf}`,
        })
        const keys = ids.map((id) => `${run}.${id}`)
        for (const { removed, updated, inserted } of batches) {
          const changes = {
            removed: removed.map((id) => `${run}.${id}`),
            updated: updated.map(mine).toSorted(byId),
            inserted: inserted.map(mine).toSorted(byId),
          }
          const [ours, theirs] = await Promise.all(both.map((adapter) => save(adapter, things, changes)))
          expect(theirs).toBe(ours)
          const [rows, sameRows] = await Promise.all(both.map((adapter) => read(adapter, things, keys)))
          expect(sameRows).toEqual(rows)
          outcomes.set(ours!, (outcomes.get(ours!) ?? 0) + 1)
        }
      }),
      { numRuns: 80 },
    )
    // The generator must reach every kind of outcome, or the property proves little.
    for (const outcome of ['committed', '22000', '23502', '23505', '23514'])
      expect(outcomes.get(outcome), outcome).toBeGreaterThan(10)
  })
})
