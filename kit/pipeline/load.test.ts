import { describe, expect, it } from 'vitest'
import type { RowStore } from '../database/rows.ts'
import { text, table, type RowRef, type Table } from '../database/table.ts'
import type { Handler, Rows } from './decision.ts'
import type { Input } from './input.ts'
import { loadRows } from './load.ts'
import { WorkingSet } from './working-set.ts'

const orders = table('orders', { key: 'id', columns: { id: text, account: text } })
const accounts = table('accounts', { key: 'id', columns: { id: text, house: text } })
const houses = table('houses', { key: 'id', columns: { id: text } })
const strangers = table('strangers', { key: 'id', columns: { id: text } })
const tables = [orders, accounts, houses] as unknown as readonly Table<object>[]

const stored: Record<string, object> = {
  'orders/o1': { id: 'o1', account: 'a1' },
  'orders/o2': { id: 'o2', account: 'a2' },
  'accounts/a1': { id: 'a1', house: 'h1' },
  'accounts/a2': { id: 'a2', house: 'h1' },
  'houses/h1': { id: 'h1' },
}

/** Remembers the statements: `lock orders o1,o2`; a flush is what was sent before anything was answered. */
class Store implements RowStore {
  readonly flushes: string[][] = []
  #open = false
  async load(of: Table<object>, keys: readonly string[], lock: boolean): Promise<object[]> {
    if (!this.#open) this.flushes.push([])
    this.#open = true
    this.flushes.at(-1)!.push(`${lock ? 'lock' : 'read'} ${of.name} ${keys.join()}`)
    await new Promise<void>((resolve) => void setImmediate(resolve))
    this.#open = false
    return keys.flatMap((key) => stored[`${of.name}/${key}`] ?? [])
  }
  save = () => Promise.reject(new Error('nothing is saved here'))
}

type Lock = (data: never, rows: Rows) => readonly RowRef[]

async function load(...locks: readonly Lock[]) {
  const store = new Store()
  const set = new WorkingSet()
  const inputs = locks.map((_, i): Input => ({
    id: `i${i}`,
    kind: 'command',
    type: String(i),
    data: {},
    requestId: 'r',
  }))
  const handler = ({ type }: Input): Handler<never> => ({
    lock: locks[Number(type)]!,
    decide: () => {
      throw new Error('nothing is decided here')
    },
  })
  const failed = await loadRows(store, set, tables, inputs, handler)
  return { flushes: store.flushes, set, failed: new Map([...failed].map(([id, error]) => [id, error.message])) }
}

describe('loading the rows of a batch', () => {
  it('is one statement per table, in the order of the tables, in key order, each key once, all in one flush', async () => {
    const { flushes, failed } = await load(
      () => [accounts.key('a2'), orders.key('o2')],
      () => [orders.key('o1'), orders.key('o2'), houses.read('h1')],
      () => [accounts.key('a1'), houses.read('h1')],
    )
    expect(flushes).toEqual([['lock orders o1,o2', 'lock accounts a1,a2', 'read houses h1']])
    expect(failed.size).toBe(0)
  })

  it('locks a row that one input only reads when another locks it', async () => {
    const { flushes, set } = await load(
      () => [orders.read('o1'), orders.read('o2')],
      () => [orders.key('o1')],
    )
    expect(flushes).toEqual([['lock orders o1', 'read orders o2']])
    expect(set.has(orders as unknown as Table<object>, 'o1', true)).toBe(true)
    expect(set.has(orders as unknown as Table<object>, 'o2', true)).toBe(false)
  })

  it('asks again when a lock follows from a row, and then for later tables only', async () => {
    const { flushes, set, failed } = await load(
      (_, rows) => {
        const order = rows.get(orders, 'o1')
        const account = order && rows.get(accounts, order.account)
        return [
          orders.key('o1'),
          ...(order ? [accounts.key(order.account)] : []),
          ...(account ? [houses.key(account.house)] : []),
        ]
      },
      () => [orders.key('o2'), houses.key('h0')],
    )
    // What needs no question of its table travels with it.
    expect(flushes).toEqual([['lock orders o1,o2'], ['lock accounts a1'], ['lock houses h0,h1']])
    expect(failed.size).toBe(0)
    expect(set.get(houses, 'h1')).toEqual({ id: 'h1' })
    expect(set.get(houses, 'h0')).toBeUndefined()
  })

  it('sends nothing when nothing is named', async () => {
    const { flushes, failed } = await load(() => [])
    expect([flushes, failed.size]).toEqual([[], 0])
  })
})

describe('a lock that is wrong sets its input aside, and the others are loaded', () => {
  const fine: Lock = () => [orders.key('o1')]

  it.each<[string, Lock, string]>([
    [
      'throws',
      () => {
        throw new TypeError('a bug')
      },
      'a bug',
    ],
    ['names a table of another service', () => [strangers.key('s')], 'strangers is not one of the service’s tables'],
    [
      'asks for a table of another service',
      (_, rows) => (rows.get(strangers, 's') ? [] : [orders.key('o2')]),
      'strangers is not one',
    ],
    [
      'reads a row that it does not name',
      (_, rows) => (rows.get(orders, 'o9') ? [] : [orders.key('o2')]),
      'orders o9 is read, but the lock did not name it',
    ],
    [
      'goes back to an earlier table',
      (_, rows) => (rows.get(accounts, 'a1') ? [accounts.key('a1'), orders.key('o2')] : [accounts.key('a1')]),
      'names orders o2 after a later table was loaded',
    ],
    [
      'wants to lock later what it read first',
      (_, rows) => (rows.get(orders, 'o2') ? [orders.key('o2')] : [orders.read('o2')]),
      'names orders o2 after a later table was loaded',
    ],
  ])('because it %s', async (_, lock, message) => {
    const { set, failed } = await load(fine, lock, fine)
    expect([...failed.keys()]).toEqual(['i1'])
    expect(failed.get('i1')!.replace("'", '’')).toContain(message)
    expect(set.get(orders, 'o1')).toEqual(stored['orders/o1'])
  })
})
