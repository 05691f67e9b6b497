import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresCursors, postgresGroups } from '../consumer/postgres.ts'
import { postgresKeyJanitor, postgresKeys } from '../idempotency/postgres.ts'
import { postgresLog, postgresLogReader } from '../log/postgres.ts'
import { openWorld, tallyService, type World } from '../pipeline/testing.ts'
import { postgresTaskQueue, postgresTasks } from '../task/postgres.ts'
import { sampleSql, sampleTables } from './testing-rows.ts'
import { createPool, type Pool } from './pool.ts'
import { explainAll } from './plans.ts'
import { tableStatements } from './rows-postgres.ts'
import type { Statement } from './session.ts'
import type { PostgresTransaction } from './transaction.ts'

/** Takes statements down instead of sending them. */
function recorder() {
  const statements = new Map<string, Statement>()
  const record = async (statement: Statement): Promise<never[]> => {
    statements.set(statement.name, statement)
    return []
  }
  const tx = { read: record, write: record } as unknown as PostgresTransaction
  const pool = { query: record } as unknown as Pool
  return { tx, pool, statements: () => [...statements.values()] }
}

const at = 1_700_000_000_000
const origin = { requestId: 'r', causeId: 'c', at }
const pending = { id: 'i', type: 't', key: 'k', data: {}, ...origin }
const lane = { source: 's', lane: 0 }
const parked = { ...pending, ...lane, position: 1, error: 'e' }
const hold = { id: 'i', token: 1 }

/** Everything that the mechanisms send while a service works. */
async function mechanisms(schema: string): Promise<Statement[]> {
  const { tx, pool, statements } = recorder()
  const cursors = postgresCursors(schema)(tx)
  const groups = postgresGroups(pool, schema)
  const tasks = postgresTasks(schema)(tx)
  const queue = postgresTaskQueue(pool, schema)
  const keys = postgresKeys(schema)(tx)
  const log = postgresLogReader(pool, schema)
  await Promise.all([
    postgresLog(schema, 8)(tx).append([pending]),
    log.heads(),
    log.read([{ lane: 0, from: 1 }], 10),
    cursors.lock('g', [lane]),
    cursors.lockOne('g', lane),
    cursors.parkedKeys('g', [lane]),
    cursors.parkedMessages('g', { source: 's', key: 'k' }, 1),
    cursors.move('g', [{ ...lane, position: 1, messageId: 'm', parked: 0 }], [parked]),
    cursors.unpark('g', lane, ['m'], [parked]),
    groups.cursors('g'),
    groups.halted('g'),
    tasks.apply({ enqueued: [pending], scheduled: [{ ...pending, dueAt: at }], unscheduled: ['i'] }),
    tasks.lock([hold]),
    tasks.settle([{ ...hold, state: 'done', outcome: null, error: null }]),
    queue.claim(['t'], 1, 1),
    queue.extend([hold], 1),
    queue.nextDueInMs(['t']),
    tasks.redrive(['i']),
    tasks.discard(['i'], 'r'),
    queue.find('i'),
    keys.read(['i']),
    keys.write(
      [{ id: 'i', fingerprint: 'f', status: 200, headers: {}, body: '', requestId: 'r', expiresAt: at }],
      [{ id: 'i', expiresAt: at }],
    ),
    postgresKeyJanitor(pool, schema).removeExpired(1),
  ])
  return statements()
}

describe('the plans of hot statements', () => {
  let world: World
  let pool: Pool
  /** A lane and a cursor for each of a number that is written once. */
  const small = ['lanes', 'cursors']
  beforeAll(async () => {
    world = await openWorld('postgres', { extra: { tables: sampleTables, sql: sampleSql } })
    pool = createPool({ url: world.url!, purpose: 'pipeline', size: 1 })
  })
  afterAll(async () => {
    await pool.close()
    await world.close()
  })

  it('of every mechanism are look-ups', async () => {
    const statements = await mechanisms('tally')
    expect(statements.length).toBeGreaterThan(22)
    expect(await explainAll(pool, statements, small)).toEqual([])
  })

  it('of declared tables are look-ups', async () => {
    const rows = [...sampleTables, ...tallyService().tables].flatMap((table) => {
      const { lock, read, insert, update, remove, changing } = tableStatements('tally', table)
      return [lock, read, insert, remove, ...(changing.length > 1 ? [update] : [])]
    })
    expect(await explainAll(pool, rows, small)).toEqual([])
  })

  it('that scan are named, with the table or index and the filter', async () => {
    const named = (name: string, text: string): Statement => ({ name, text })
    const problems = await explainAll(
      pool,
      [
        named('fine', 'SELECT FROM tally.tasks WHERE id = $1'),
        named('by cause', 'SELECT FROM tally.tasks WHERE cause_id = $1'),
        named('volatile', 'DELETE FROM tally.idempotency_keys WHERE expires_at < clock_timestamp()'),
        named('later column', `SELECT FROM tally.tasks WHERE state = 'open' AND due_at <= $1`),
        named('all', 'UPDATE tally.messages SET type = $1'),
        named('small', 'SELECT FROM tally.lanes WHERE head > $1'),
        named('below', 'SELECT (SELECT count(*) FROM tally.messages WHERE key = $1) FROM tally.cursors'),
      ],
      small,
    )
    expect(problems).toEqual([
      'by cause: reads all of tasks and filters by (cause_id = $1)',
      'volatile: reads all of idempotency_keys and filters by (expires_at < clock_timestamp())',
      'later column: reads all of the index tasks_due for (due_at <= $1)',
      'all: reads all of messages',
      'below: reads all of messages and filters by (key = $1)',
    ])
  })
})
