/** Sample tables with a rule of every kind, rows for them as odd as their columns can hold, and how to save and read them. */
import fc from 'fast-check'
import type { RowChanges, RowStore } from './rows.ts'
import { boolean, instant, integer, json, nullable, table, text, type RowOf, type Table } from './table.ts'

export interface RowTransaction {
  readonly begun: Promise<number>
  readonly rows: RowStore
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** A store in which the sample tables are empty. */
export interface RowAdapter {
  begin(): Promise<RowTransaction>
  /** Resolves once somebody waits for a lock. */
  blocked(): Promise<void>
  close(): Promise<void>
}

/** One of everything, with a rule of every kind. */
export const things = table('things', {
  key: 'id',
  columns: {
    id: text,
    /** Never changes. */
    owner: text,
    shelf: nullable(text),
    slot: nullable(integer),
    onHand: integer,
    reserved: integer,
    active: nullable(boolean),
    madeAt: instant,
    doneAt: nullable(instant),
    data: json<unknown>(),
    note: nullable(json<unknown>()),
  },
  unique: { place: ['shelf', 'slot'] },
  checks: {
    reservable: (row) => 0 <= row.reserved && row.reserved <= row.onHand,
    ordered: (row) => row.doneAt === null || row.doneAt >= row.madeAt,
  },
  fixed: ['owner'],
})

/** Words of SQL for columns, and nothing but the key may change. */
export const moves = table('moves', { key: 'order', columns: { order: text, from: text, to: nullable(text) } })

/** Nothing can change. */
export const marks = table('marks', { key: 'id', columns: { id: text, by: text }, fixed: ['by'] })

export const sampleTables = [things, moves, marks] as unknown as readonly Table<object>[]

export const sampleSql = `
  CREATE TABLE tally.things (
    id text PRIMARY KEY, owner text NOT NULL, shelf text, slot int8, on_hand int8 NOT NULL, reserved int8 NOT NULL,
    active bool, made_at timestamptz NOT NULL, done_at timestamptz, data json NOT NULL, note json,
    CONSTRAINT things_place UNIQUE (shelf, slot),
    CONSTRAINT things_reservable CHECK (0 <= reserved AND reserved <= on_hand),
    CONSTRAINT things_ordered CHECK (done_at >= made_at));
  CREATE TABLE tally.moves ("order" text PRIMARY KEY, "from" text NOT NULL, "to" text);
  CREATE TABLE tally.marks (id text PRIMARY KEY, by text NOT NULL)`

export type Thing = RowOf<typeof things>

export const thing = (id: string, rest: Partial<Thing> = {}): Thing => ({
  id,
  owner: 'ana',
  shelf: null,
  slot: null,
  onHand: 5,
  reserved: 0,
  active: true,
  madeAt: 1_700_000_000_123,
  doneAt: null,
  data: {},
  note: null,
  ...rest,
})

export const changes = (rest: Partial<RowChanges>): RowChanges => ({ inserted: [], updated: [], removed: [], ...rest })

/** Saves in a transaction of its own. Gives 'committed', or the SQLSTATE of what was refused. */
export async function save(adapter: RowAdapter, of: Table<object>, rest: Partial<RowChanges>): Promise<string> {
  const tx = await adapter.begin()
  try {
    await tx.begun
    await tx.rows.save(of, changes(rest))
    await tx.commit()
    return 'committed'
  } catch (error) {
    await tx.rollback()
    return (error as { code?: string }).code ?? String(error)
  }
}

/** The committed rows with these keys, in the order of the keys. */
export async function read(adapter: RowAdapter, of: Table<object>, keys: readonly string[]): Promise<object[]> {
  const tx = await adapter.begin()
  const rows = await tx.rows.load(of, keys, false)
  await tx.rollback()
  return rows.toSorted((a, b) => keys.indexOf(of.keyOf(a)) - keys.indexOf(of.keyOf(b)))
}

export const wild = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).filter((value) => !value.includes('\0')),
  fc.constantFrom(
    '',
    ' ',
    'NULL',
    'null',
    '{}',
    '{a,b}',
    '"',
    '\\',
    '\\"',
    ',',
    "'",
    "''; --",
    '$1',
    '\r\n\t',
    'ñ',
    '🚲👩‍👩‍👧',
    '\u202e',
    '\x7f',
  ),
)
const whole = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0, -0, -1),
)
const moment = fc.oneof(
  fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
  fc.constantFrom(0, -1, 1, 999, 1_700_000_000_001, -62_135_596_800_000, 253_402_300_799_999, -5_000_000_000_007),
)
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })

/** Rows that satisfy every rule, with values as odd as their columns can hold. */
export const oddThing = (id: fc.Arbitrary<string>): fc.Arbitrary<Thing> =>
  fc
    .record({
      id,
      owner: wild,
      shelf: orNull(wild),
      slot: orNull(whole),
      amounts: fc.tuple(whole, whole).map((pair) => pair.map(Math.abs).toSorted((a, b) => a - b)),
      active: orNull(fc.boolean()),
      times: fc.tuple(moment, moment).map((pair) => pair.toSorted((a, b) => a - b)),
      done: fc.boolean(),
      data: fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }).filter((value) => value !== null),
      note: orNull(fc.jsonValue({ maxDepth: 2 }).map((value) => ({ value }))),
    })
    .map(({ amounts, times, done, ...rest }) => ({
      ...rest,
      onHand: amounts[1]!,
      reserved: amounts[0]!,
      madeAt: times[0]!,
      doneAt: done ? times[1]! : null,
    }))

/** The row as it must come back. JSON has one zero and leaves out what is undefined; so have the stores. */
export const asStored = (row: object): object => JSON.parse(JSON.stringify(row)) as object
