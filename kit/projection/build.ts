/**
 * The steps of a build (steps.ts), each a transaction under an advisory lock: of several processes one does it, and one that
 * dies leaves the step undone. What a step rests on is looked at again once the lock is held.
 *
 *   1. The cursors of a seeded generation stand at the heads of its sources before anything is copied. What was committed
 *      before is in the copy, what comes later is in the log behind the cursors.
 *   2. Without a seed they stand where the retained logs begin.
 *   3. A switch holds the cursors of both generations, and first brings the new one as far as the old one (J3).
 */
import { laneName } from '../consumer/next.ts'
import { postgresCursors } from '../consumer/postgres.ts'
import type { Timers } from '../core/clock.ts'
import type { Pool } from '../database/pool.ts'
import type { Statement } from '../database/session.ts'
import { beginTransaction, type PostgresTransaction } from '../database/transaction.ts'
import type { Message } from '../log/message.ts'
import type { LogReader } from '../log/port.ts'
import { runner } from './apply.ts'
import { creationOf, groupOf, hashOf, statementsOf, tableOf, tablesOf, type Projection } from './definition.ts'
import { generationColumns, naming } from './registry.ts'
import { nextStep, type Generation, type Step } from './steps.ts'

/** Rows copied in one transaction. */
const CHUNK = 2000
/** A new generation takes over when it is this close to the heads. */
const CLOSE = 100

export interface BuildOptions {
  readonly pool: Pool
  readonly schema: string
  readonly definition: Projection
  readonly readers: readonly LogReader[]
  readonly timers: Timers
}

/** Does the next step if it is still the next one and nobody else is at it. True when something was done. */
export async function doStep(options: BuildOptions, step: NonNullable<Step>, starting: boolean): Promise<boolean> {
  const { pool, schema, definition, timers } = options
  const found = step.kind === 'begin' ? await beginnings(options) : undefined
  if (step.kind === 'switch' && !(await isClose(options, step.generation))) return false
  const total = step.kind === 'begin' && definition.seed ? await count(pool, schema, definition) : 0
  const tx = await beginTransaction(pool, timers)
  try {
    await tx.begun
    if (!(await lockView(tx, schema, definition.name))) {
      await tx.rollback()
      return false
    }
    const rows = await list(tx, schema, definition.name)
    const now = nextStep(rows, hashOf(definition), starting)
    const mine = rows.find(({ generation }) => generation === step.generation)
    const same = now?.kind === step.kind && now.generation === step.generation
    const begun = same && found !== undefined && (await begin(tx, options, step.generation, found, total, rows))
    const done = begun || (same && mine !== undefined && (await change(tx, options, step.kind, mine, rows)))
    if (done) await tx.commit()
    else await tx.rollback()
    return done
  } catch (error) {
    await tx.rollback()
    throw error
  }
}

async function change(
  tx: PostgresTransaction,
  options: BuildOptions,
  kind: NonNullable<Step>['kind'],
  row: Generation,
  rows: readonly Generation[],
): Promise<boolean> {
  const { schema } = options
  if (kind === 'seed') return seedChunk(tx, options, row)
  if (kind === 'switch') return switchTo(tx, options, row, rows)
  if (kind === 'discard') return setState(tx, schema, row, 'retired')
  if (kind === 'drop') return drop(tx, schema, row)
  return false
}

/** A statement that will not come again: nothing is prepared for it. */
const once = (text: string): Statement => ({ name: '', text })

/** Without waiting: who has it does the step. Released with the transaction. */
async function lockView(tx: PostgresTransaction, schema: string, name: string): Promise<boolean> {
  const text = `SELECT pg_try_advisory_xact_lock(hashtext('cauce view'), hashtext($1)) AS held`
  const [row] = await tx.read<{ held: boolean }>({ name: 'views.lock', text }, [`${schema}.${name}`])
  return row?.held === true
}

function list(tx: PostgresTransaction, schema: string, name: string): Promise<Generation[]> {
  const text = `SELECT ${generationColumns} FROM ${schema}.views v WHERE v.name = $1 ORDER BY v.generation`
  return tx.read<Generation>(naming(schema)('locked', text), [name])
}

/** Where a lane's cursor begins. */
interface Beginning {
  readonly source: string
  readonly lane: number
  readonly position: number
  readonly messageId: string
  /** The first message of a log that was trimmed: its cursor stands on it, so it is applied with the beginning. */
  readonly first: Message | undefined
}

async function beginnings({ definition, readers }: BuildOptions): Promise<Beginning[]> {
  const found = await Promise.all(
    readers.map(async (reader) => {
      const heads = await reader.heads()
      return Promise.all(
        heads.map(async ({ lane, head }): Promise<Beginning> => {
          const at = { source: reader.source, lane }
          if (head === 0) return { ...at, position: 0, messageId: '', first: undefined }
          const [message] = await reader.read([{ lane, from: definition.seed ? head : 1 }], 1)
          if (!message)
            throw new Error(`The log of ${reader.source} ends at ${head} in lane ${lane}, but has no message`)
          const { position, id } = message
          if (definition.seed) return { ...at, position, messageId: id, first: undefined }
          if (position === 1) return { ...at, position: 0, messageId: '', first: undefined }
          return { ...at, position, messageId: id, first: message }
        }),
      )
    }),
  )
  return found.flat()
}

async function count(pool: Pool, schema: string, { name, seed }: Projection): Promise<number> {
  const [row] = await pool.query<{ total: number }>(naming(schema)(`${name}.count`, seed!.count), [])
  return row?.total ?? 0
}

async function begin(
  tx: PostgresTransaction,
  { schema, definition }: BuildOptions,
  generation: number,
  found: readonly Beginning[],
  total: number,
  rows: readonly Generation[],
): Promise<boolean> {
  const named = naming(schema)
  const { name, tables, seed } = definition
  for (const text of creationOf(schema, definition, generation)) await tx.write(once(text), [])
  const cursors = `INSERT INTO ${schema}.cursors (consumer_group, source, lane, position, message_id)
     SELECT $1, * FROM unnest($2::text[], $3::int[], $4::int8[], $5::text[])`
  await tx.write(named('cursors', cursors), [
    groupOf(name, generation),
    found.map(({ source }) => source),
    found.map(({ lane }) => lane),
    found.map(({ position }) => position),
    found.map(({ messageId }) => messageId),
  ])
  const insert = `INSERT INTO ${schema}.views (name, generation, state, definition, tables, total) VALUES ($1, $2, $3, $4, $5, $6)`
  const state = seed ? 'seeding' : 'tailing'
  const made = tables.map((table) => table.name)
  await tx.write(named('insert', insert), [name, generation, state, hashOf(definition), made, total])
  const active = rows.find((row) => row.state === 'active')
  const asked = `UPDATE ${schema}.views SET rebuild = false WHERE name = $1 AND generation = $2`
  if (active?.rebuild) await tx.write(named('asked', asked), [name, active.generation])
  const firsts = found.flatMap(({ first }) => (first ? [first] : []))
  if (firsts.length > 0) await definition.apply(firsts, runner(tx, statementsOf(schema, definition, generation)))
  return true
}

async function seedChunk(
  tx: PostgresTransaction,
  { schema, definition }: BuildOptions,
  { name, generation, seededTo }: Generation,
): Promise<boolean> {
  const named = naming(schema)
  const text = definition.seed!.copy(tablesOf(schema, definition, generation))
  const copy = named(`${groupOf(name, generation)}.copy`, text)
  const [copied] = await tx.write<{ rows: number; last: string | null }>(copy, [seededTo, CHUNK])
  const { rows = 0, last = null } = copied ?? {}
  const more = rows === CHUNK
  if (!more) {
    // The planner knows nothing of a table that was filled just now.
    for (const table of Object.values(tablesOf(schema, definition, generation))) {
      await tx.write(once(`ANALYZE ${table}`), [])
    }
  }
  const update = `UPDATE ${schema}.views SET seeded_to = $3, done = done + $4, state = $5 WHERE name = $1 AND generation = $2`
  const state = more ? 'seeding' : 'tailing'
  await tx.write(named('seeded', update), [name, generation, last ?? seededTo, rows, state])
  return true
}

/** Whether a generation is so far that a switch is worth trying. */
async function isClose({ pool, schema, definition, readers }: BuildOptions, generation: number): Promise<boolean> {
  const text = `SELECT c.source, c.lane, c.position FROM ${schema}.cursors c WHERE c.consumer_group = $1`
  const group = groupOf(definition.name, generation)
  const cursors = await pool.query<Standing>(naming(schema)('standing', text), [group])
  const at = new Map(cursors.map((cursor) => [laneName(cursor), cursor.position]))
  let lag = 0
  for (const reader of readers) {
    for (const { lane, head } of await reader.heads())
      lag += head - (at.get(laneName({ source: reader.source, lane })) ?? 0)
  }
  return lag <= CLOSE
}

interface Standing {
  readonly source: string
  readonly lane: number
  readonly position: number
}

async function switchTo(
  tx: PostgresTransaction,
  options: BuildOptions,
  row: Generation,
  rows: readonly Generation[],
): Promise<boolean> {
  const { schema } = options
  const active = rows.find(({ state }) => state === 'active')
  if (active) {
    await catchUp(tx, options, row, active)
    await setState(tx, schema, active, 'retired')
  }
  return setState(tx, schema, row, 'active')
}

/** Brings a generation as far as another one. Both stand still meanwhile: their cursors are held. */
async function catchUp(
  tx: PostgresTransaction,
  { schema, definition, readers }: BuildOptions,
  row: Generation,
  other: Generation,
): Promise<void> {
  const text = `SELECT c.consumer_group AS "group", c.source, c.lane, c.position FROM ${schema}.cursors c
     WHERE c.consumer_group = ANY($1::text[]) ORDER BY c.consumer_group, c.source, c.lane FOR UPDATE`
  const [mine, theirs] = [groupOf(row.name, row.generation), groupOf(row.name, other.generation)]
  const cursors = await tx.read<Standing & { group: string }>(naming(schema)('both', text), [[mine, theirs]])
  const ends = new Map(cursors.filter(({ group }) => group === theirs).map((lane) => [laneName(lane), lane.position]))
  const behind = cursors.filter((lane) => lane.group === mine && lane.position < (ends.get(laneName(lane)) ?? 0))
  const missing = await Promise.all(
    behind.map(async (cursor) => {
      const gap = ends.get(laneName(cursor))! - cursor.position
      const reader = readers.find(({ source }) => source === cursor.source)
      const messages = await reader!.read([{ lane: cursor.lane, from: cursor.position + 1 }], gap)
      if (messages.length < gap) throw new Error(`${laneName(cursor)} has a hole behind ${cursor.position}`)
      return messages
    }),
  )
  if (missing.length === 0) return
  await definition.apply(missing.flat(), runner(tx, statementsOf(schema, definition, row.generation)))
  const moved = missing.map((messages) => {
    const { source, lane, position, id } = messages.at(-1)!
    return { source, lane, position, messageId: id, parked: 0 }
  })
  await postgresCursors(schema)(tx).move(mine, moved, [])
}

async function setState(
  tx: PostgresTransaction,
  schema: string,
  { name, generation }: Generation,
  state: Generation['state'],
): Promise<boolean> {
  const text = `UPDATE ${schema}.views SET state = $3, since = clock_timestamp() WHERE name = $1 AND generation = $2`
  await tx.write(naming(schema)('state', text), [name, generation, state])
  return true
}

async function drop(
  tx: PostgresTransaction,
  schema: string,
  { name, generation, tables }: Generation,
): Promise<boolean> {
  const named = naming(schema)
  const group = groupOf(name, generation)
  // The cursors first: whoever is applying is waited for, and finds none afterwards.
  await tx.write(named('forget', `DELETE FROM ${schema}.cursors WHERE consumer_group = $1`), [group])
  for (const table of tables) {
    await tx.write(once(`DROP TABLE IF EXISTS ${tableOf(schema, table, generation)}`), [])
  }
  await tx.write(named('remove', `DELETE FROM ${schema}.views WHERE name = $1 AND generation = $2`), [name, generation])
  return true
}
