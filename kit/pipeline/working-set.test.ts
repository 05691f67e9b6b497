import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { integer, table, text, type Change, type Table } from '../database/table.ts'
import { DecisionError, WorkingSet } from './working-set.ts'
import { prop } from '../core/testing-property.ts'

const stock = table('stock', { key: 'sku', columns: { sku: text, onHand: integer, owner: text }, fixed: ['owner'] })
const postings = table('postings', { key: 'id', columns: { id: text }, appendOnly: true })
type Stock = { sku: string; onHand: number; owner: string }

const erased = <Row extends object>(of: Table<Row>) => of as unknown as Table<object>
const row = (sku: string, onHand = 1, owner = 'ana'): Stock => ({ sku, onHand, owner })

/** A set in which these rows are loaded and locked, and the keys of `absent` were looked for. */
function setOf(rows: readonly Stock[], absent: readonly string[] = []): WorkingSet {
  const set = new WorkingSet()
  set.add(erased(stock), [...rows.map(({ sku }) => sku), ...absent], rows, true)
  set.markLoaded(erased(stock))
  set.markLoaded(erased(postings))
  return set
}

const changes = (set: WorkingSet) => set.changes(erased(stock))
const none = { inserted: [], updated: [], removed: [] }

describe('what a decision sees', () => {
  it('is what was loaded, and what earlier decisions of the batch made of it', () => {
    const set = setOf([row('a')], ['b'])
    expect([set.get(stock, 'a'), set.get(stock, 'b')]).toEqual([row('a'), undefined])
    set.apply([stock.update(row('a', 2)), stock.insert(row('b', 3))])
    expect([set.get(stock, 'a'), set.get(stock, 'b')]).toEqual([row('a', 2), row('b', 3)])
    set.apply([stock.remove('a')])
    expect(set.get(stock, 'a')).toBeUndefined()
  })

  it('is nothing that its lock did not name', () => {
    const set = setOf([row('a')])
    expect(() => set.get(stock, 'c')).toThrow(new DecisionError('stock c is read, but the lock did not name it'))
  })

  it('while locks are asked for is a question, which is remembered', () => {
    const set = new WorkingSet()
    expect(set.get(stock, 'a')).toBeUndefined()
    expect([...set.asked]).toEqual([stock])
  })
})

describe('what a decision may change', () => {
  it.each<[string, Change, string]>([
    ['a row that its lock did not name', stock.update(row('c')), 'did not name'],
    ['the absence of a row that its lock did not name', stock.remove('c'), 'did not name'],
    ['by inserting what exists', stock.insert(row('a')), 'exists already'],
    ['by updating what does not', stock.update(row('b')), 'does not exist'],
    ['an append-only row', postings.remove('p'), 'append-only'],
    ['an append-only row by an update', postings.update({ id: 'p' }), 'append-only'],
  ])('not %s', (_, change, message) => {
    const set = setOf([row('a')], ['b'])
    expect(() => set.apply([change])).toThrow(DecisionError)
    expect(() => set.apply([change])).toThrow(message)
    expect(changes(set)).toEqual(none)
  })

  it('not a row that was only read', () => {
    const set = new WorkingSet()
    set.add(erased(stock), ['a'], [row('a')], false)
    set.markLoaded(erased(stock))
    expect(set.get(stock, 'a')).toEqual(row('a'))
    expect(() => set.apply([stock.update(row('a', 2))])).toThrow('did not name')
  })

  it('all of it or nothing: what came before the mistake is taken back, in every table', () => {
    const set = setOf([row('a'), row('b')], ['c'])
    set.apply([stock.update(row('a', 5)), postings.insert({ id: 'p1' })])
    const mistaken = [
      stock.update(row('a', 6)),
      stock.remove('b'),
      stock.insert(row('c')),
      postings.insert({ id: 'p2' }),
      stock.update(row('nobody')),
    ]
    expect(() => set.apply(mistaken)).toThrow(DecisionError)
    expect(changes(set)).toEqual({ ...none, updated: [row('a', 5)] })
    expect(set.changes(erased(postings)).inserted).toEqual([{ id: 'p1' }])
    expect(set.get(stock, 'c')).toBeUndefined()
  })
})

describe('what is saved', () => {
  it('is the last word on each row, in the order of the keys', () => {
    const set = setOf([row('b'), row('a'), row('d')], ['e', 'c'])
    set.apply([
      stock.update(row('b', 2)),
      stock.insert(row('e')),
      stock.insert(row('c')),
      stock.remove('d'),
      stock.update(row('a', 7)),
    ])
    set.apply([stock.update(row('b', 3)), stock.update(row('e', 9))])
    expect(changes(set)).toEqual({
      inserted: [row('c'), row('e', 9)],
      updated: [row('a', 7), row('b', 3)],
      removed: ['d'],
    })
  })

  it('is nothing for what came and went', () => {
    const set = setOf([row('a')], ['b'])
    set.apply([stock.insert(row('b')), stock.remove('b')])
    set.apply([stock.update(row('a', 2))])
    set.apply([stock.update(set.get(stock, 'a')!)])
    expect(changes(set)).toEqual({ ...none, updated: [row('a', 2)] })
  })

  it('is a removal and an insert for a row that was removed and made anew: fixed columns are the new one’s', () => {
    const set = setOf([row('a', 1, 'ana')])
    set.apply([stock.remove('a')])
    set.apply([stock.insert(row('a', 1, 'bob'))])
    set.apply([stock.update(row('a', 2, 'bob'))])
    expect(changes(set)).toEqual({ ...none, removed: ['a'], inserted: [row('a', 2, 'bob')] })
  })

  const act = fc.constantFrom('insert', 'update', 'remove')
  const step = fc.record({ act, key: fc.constantFrom('a', 'b', 'c', 'd'), onHand: fc.nat(99) })

  prop([fc.array(step, { maxLength: 30 }), fc.subarray(['a', 'b', 'c', 'd'])])(
    'makes of the loaded rows what the decisions made of them, one after the other',
    (steps, present) => {
      const before = new Map(present.map((key) => [key, row(key)]))
      const set = setOf(
        [...before.values()],
        ['a', 'b', 'c', 'd'].filter((key) => !before.has(key)),
      )
      const model = new Map(before)
      for (const { act: kind, key, onHand } of steps) {
        const change = kind === 'remove' ? stock.remove(key) : stock[kind](row(key, onHand, `owner ${onHand}`))
        const mistaken = kind === 'insert' ? model.has(key) : kind === 'update' && !model.has(key)
        if (mistaken) expect(() => set.apply([change])).toThrow(DecisionError)
        else {
          set.apply([change])
          if (kind === 'remove') model.delete(key)
          // A fixed column keeps the value of its row's insert.
          else model.set(key, row(key, onHand, kind === 'update' ? model.get(key)!.owner : `owner ${onHand}`))
        }
      }
      const { removed, updated, inserted } = changes(set)
      const saved = new Map(before)
      for (const key of removed) saved.delete(key)
      for (const changed of updated as Stock[])
        saved.set(changed.sku, { ...changed, owner: saved.get(changed.sku)!.owner })
      for (const made of inserted as Stock[]) {
        expect(saved.has(made.sku)).toBe(false)
        // The set does not know which columns are fixed; an insert that was updated within its batch carries the update's.
        saved.set(made.sku, { ...made, owner: model.get(made.sku)!.owner })
      }
      expect(saved).toEqual(model)
    },
  )
})

describe('declared checks', () => {
  const till = table('till', {
    key: 'id',
    columns: { id: text, cash: integer },
    checks: { covered: (row) => row.cash >= 0 },
  })

  it('hold after every decision: what a later one would mend is refused all the same, with its whole decision', () => {
    const set = new WorkingSet()
    set.add(erased(till), ['a', 'b'], [{ id: 'a', cash: 1 }], true)
    const broken = () => set.apply([till.insert({ id: 'b', cash: 5 }), till.update({ id: 'a', cash: -4 })])
    expect(broken).toThrow(expect.objectContaining({ code: '23514', constraint: 'till_covered' }))
    expect(set.changes(erased(till))).toEqual(none)
    set.apply([till.update({ id: 'a', cash: 10 })])
    expect(set.changes(erased(till)).updated).toEqual([{ id: 'a', cash: 10 }])
  })
})
