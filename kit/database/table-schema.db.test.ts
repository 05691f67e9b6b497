import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sampleSql, sampleTables } from './testing-rows.ts'
import { createPool, type Pool } from './pool.ts'
import { boolean, instant, integer, json, nullable, table, text, type Table } from './table.ts'
import { compareWithSchema } from './table-schema.ts'
import { createTestDatabase, type TestDatabase } from './testing.ts'

const declared = table('lots', {
  key: 'lotId',
  columns: {
    lotId: text,
    count: integer,
    open: boolean,
    madeAt: instant,
    data: json<object>(),
    note: nullable(text),
    shelf: text,
  },
  unique: { place: ['shelf', 'note'] },
  checks: { countable: (row) => row.count >= 0 },
}) as unknown as Table<object>

/** The schema that says the same; each case below changes one thing in it. */
const good = `CREATE TABLE lots (
  lot_id text PRIMARY KEY,
  count int8 NOT NULL,
  open bool NOT NULL,
  made_at timestamptz NOT NULL,
  data json NOT NULL,
  note text,
  shelf text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  remark text,
  CONSTRAINT lots_place UNIQUE (note, shelf),
  CONSTRAINT lots_countable CHECK (count >= 0)
)`

describe('comparing declared tables with the migrated schema', () => {
  let database: TestDatabase
  let pool: Pool
  let count = 0
  beforeAll(async () => {
    database = await createTestDatabase('schema')
    pool = createPool({ url: database.url, purpose: 'read', size: 1 })
  })
  afterAll(async () => {
    await pool.close()
    await database.drop()
  })

  const run = (sql: string) => pool.query({ name: `run.${count++}`, text: sql }, [])

  /** What is said of a schema made of these statements. */
  async function said(...statements: readonly string[]): Promise<string[]> {
    const schema = `s${count++}`
    await run(`CREATE SCHEMA ${schema}`)
    await run(`SET search_path = ${schema}`)
    for (const statement of statements) await run(statement)
    return compareWithSchema(pool, schema, [declared]).then((problems) =>
      problems.map((problem) => problem.replace(`${schema}.lots: `, '')),
    )
  }

  it('finds nothing where they agree; columns that fill themselves may be added', async () => {
    expect(await said(good)).toEqual([])
    await run('CREATE SCHEMA tally')
    for (const statement of sampleSql.split(';')) await run(statement)
    expect(await compareWithSchema(pool, 'tally', sampleTables)).toEqual([])
  })

  it('finds a table that is not there', async () => {
    expect(await said('CREATE TABLE others (id text PRIMARY KEY)')).toEqual([
      expect.stringMatching(/^s\d+ has no table lots$/),
    ])
  })

  it.each<[string, [string, string] | string, string[]]>([
    ['a missing column', ['  open bool NOT NULL,\n', ''], ['there is no column open']],
    ['a type', ['count int8', 'count int4'], ['count is integer, declared as integer (bigint)']],
    ['another type', ['data json ', 'data jsonb '], ['data is jsonb, declared as json (json)']],
    [
      'a type with a limit',
      ['note text', 'note varchar(9)'],
      ['note is character varying(9), declared as text (text)'],
    ],
    [
      'a timestamp without a zone',
      ['made_at timestamptz', 'made_at timestamp'],
      ['made_at is timestamp without time zone, declared as instant (timestamp with time zone)'],
    ],
    [
      'a required column that is not',
      ['shelf text NOT NULL', 'shelf text'],
      ['shelf is nullable, declared as required'],
    ],
    [
      'a column that is required and should not be',
      ['note text', 'note text NOT NULL'],
      ['note is NOT NULL, declared as nullable'],
    ],
    [
      'a column that every insert would miss',
      ['remark text', 'remark text NOT NULL'],
      ['remark is NOT NULL without a default, and not declared: no insert can succeed'],
    ],
    [
      'no primary key',
      ['lot_id text PRIMARY KEY', 'lot_id text NOT NULL'],
      ['the primary key is (), declared as (lot_id)'],
    ],
    [
      'another primary key',
      ['lot_id text PRIMARY KEY', 'lot_id text NOT NULL, PRIMARY KEY (lot_id, shelf)'],
      ['the primary key is (lot_id, shelf), declared as (lot_id)'],
    ],
    [
      'a unique set of too many',
      ['UNIQUE (note, shelf)', 'UNIQUE (note, shelf, count)'],
      [
        'the unique set place (note, shelf) is not in the schema',
        'the unique index lots_place (count, note, shelf) is not declared',
      ],
    ],
    [
      'a unique set of too few',
      ['UNIQUE (note, shelf)', 'UNIQUE (note) INCLUDE (shelf)'],
      ['the unique set place (note, shelf) is not in the schema', 'the unique index lots_place (note) is not declared'],
    ],
    [
      'a deferrable one',
      ['UNIQUE (note, shelf)', 'UNIQUE (note, shelf) DEFERRABLE'],
      [
        'the unique set place (note, shelf) is not in the schema',
        'the unique index lots_place is deferrable, which a declared set cannot be',
      ],
    ],
    [
      'one that takes nulls for equal',
      ['UNIQUE (note, shelf)', 'UNIQUE NULLS NOT DISTINCT (note, shelf)'],
      [
        'the unique set place (note, shelf) is not in the schema',
        'the unique index lots_place is taking nulls for equal, which a declared set cannot be',
      ],
    ],
    [
      'a partial one',
      'CREATE UNIQUE INDEX open_ones ON lots (count) WHERE open',
      ['the unique index open_ones is partial, which a declared set cannot be'],
    ],
    [
      'one over an expression',
      'CREATE UNIQUE INDEX lower ON lots (lower(shelf))',
      ['the unique index lower is over an expression, which a declared set cannot be'],
    ],
    [
      'one that is not declared',
      'CREATE UNIQUE INDEX more ON lots (made_at)',
      ['the unique index more (made_at) is not declared'],
    ],
    ['an index that is not unique', 'CREATE INDEX fine ON lots (made_at)', []],
    [
      'a missing check',
      [',\n  CONSTRAINT lots_countable CHECK (count >= 0)', ''],
      ['there is no CHECK lots_countable'],
    ],
    [
      'a check of another name',
      ['lots_countable', 'lots_count_check'],
      ['there is no CHECK lots_countable', 'the CHECK lots_count_check is not declared'],
    ],
    [
      'a check that old rows may break',
      'ALTER TABLE lots DROP CONSTRAINT lots_countable, ADD CONSTRAINT lots_countable CHECK (count >= 0) NOT VALID',
      ['the CHECK lots_countable is NOT VALID: rows from before may break it'],
    ],
  ])('finds %s', async (_, change, problems) => {
    const statements = typeof change === 'string' ? [good, change] : [good.replace(change[0], change[1])]
    if (typeof change !== 'string') expect(statements[0]).not.toBe(good)
    expect(await said(...statements)).toEqual(problems)
  })

  it('finds a key that is no text', async () => {
    const numbered = table('numbered', { key: 'id', columns: { id: integer } }) as unknown as Table<object>
    await run('CREATE SCHEMA numbers')
    await run('CREATE TABLE numbers.numbered (id int8 PRIMARY KEY)')
    expect(await compareWithSchema(pool, 'numbers', [numbered])).toEqual([
      'numbers.numbered: its key id is not declared as text',
    ])
  })
})
