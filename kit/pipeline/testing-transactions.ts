/** What a transaction of the pipeline promises, over every storage: all of it or nothing, and COMMIT only when that is true. */
import { expect, describe, it } from 'vitest'
import { NotCommittedError, sqlState } from '../database/errors.ts'
import type { Table } from '../database/table.ts'
import { pendingOf } from '../log/conformance.ts'
import { counters, wholeLog, type Counter, type Kind } from './testing.ts'
import { benchForEach } from './testing-messages.ts'
import type { UnitOfWork } from './unit-of-work.ts'

const table = counters as unknown as Table<object>
const counter = (key: string, value: number): Counter => ({ key, value, badge: null, history: [] })
const insert = (work: UnitOfWork, ...rows: readonly Counter[]) =>
  work.rows.save(table, { inserted: rows, updated: [], removed: [] })

const causeOf = (result: PromiseSettledResult<unknown>): unknown =>
  result.status === 'rejected' ? result.reason : undefined

export function describeTransactions(kind: Kind): void {
  describe(`a transaction over ${kind}`, () => {
    const current = benchForEach(kind)

    it('I6 a COMMIT behind a failed statement is no commit, and says so, sent together or later', async () => {
      const { tally } = current().world
      for (const separately of [false, true]) {
        const work = await tally.transactions.begin()
        await work.begun
        const sent = [
          insert(work, counter('good', 1)),
          insert(work, counter('bad', -1)),
          work.log.append(pendingOf('good', 1)),
        ]
        if (separately) await Promise.allSettled(sent)
        const [good, bad, appended, commit] = await Promise.allSettled([...sent, work.commit()])
        await work.rollback()
        expect(causeOf(good)).toBeUndefined()
        expect(sqlState(causeOf(bad!))).toBe('23514')
        expect(sqlState(causeOf(appended!))).toBe('25P02')
        expect(causeOf(commit!)).toBeInstanceOf(NotCommittedError)
      }
      expect(await tally.rows(counters)).toEqual([])
      expect(await wholeLog(tally)).toEqual([])
    })

    it('I5 I6 shows its rows and its messages together', async () => {
      const { tally } = current().world
      const work = await tally.transactions.begin()
      await work.begun
      await Promise.all([insert(work, counter('a', 1)), work.log.append(pendingOf('a', 1))])
      expect([await tally.rows(counters), await wholeLog(tally)]).toEqual([[], []])
      await work.commit()
      expect(await tally.rows(counters)).toEqual([counter('a', 1)])
      expect(await wholeLog(tally)).toHaveLength(1)
    })

    it('leaves nothing of what it did when it is rolled back, and holds nothing up', async () => {
      const { tally } = current().world
      await tally.groups.ensure('tally', ['upstream'], 1)
      const work = await tally.transactions.begin()
      await work.begun
      await work.cursors.lock('tally', [{ source: 'upstream', lane: 0 }])
      await Promise.all([insert(work, counter('a', 1)), work.log.append(pendingOf('a', 1))])
      await work.rollback()
      const next = await tally.transactions.begin()
      await next.begun
      expect(await next.cursors.lock('tally', [{ source: 'upstream', lane: 0 }])).toHaveLength(1)
      await Promise.all([insert(next, counter('a', 2)), next.log.append(pendingOf('a', 2)), next.commit()])
      expect(await tally.rows(counters)).toEqual([counter('a', 2)])
      expect((await wholeLog(tally)).map(({ id, position }) => [id, position])).toEqual([['a.2', 1]])
    })

    it('tells time by the database, once it has begun', async () => {
      const { tally } = current().world
      const work = await tally.transactions.begin()
      const begun = await work.begun
      await work.rollback()
      expect(Number.isSafeInteger(begun)).toBe(true)
      expect(Math.abs(begun - Date.now())).toBeLessThan(60_000)
    })
  })
}
