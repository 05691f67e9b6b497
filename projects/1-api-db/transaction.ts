/**
 * One request, one transaction. There is no queue and no log: whatever an order needs of orders and of payments is looked up, decided
 * and written between one BEGIN and one COMMIT, and the answer is sent after the COMMIT.
 *
 *   BEGIN → the key is ours alone → rows, locked → decide (and ask the card processor) → write → the answer, under the key → COMMIT
 *
 * 1. All or nothing: what was not committed never happened, for both services alike.
 * 2. Of two requests with one key the second waits for the first, and then gets its answer.
 * 3. A race that was lost is run again from BEGIN, and so is a COMMIT whose answer was lost: the key tells what became of it.
 */
import type { Timers } from '@cauce/kit/core/clock'
import { blame, type Blame } from '@cauce/kit/database/errors'
import type { Pool } from '@cauce/kit/database/pool'
import { beginTransaction, type PostgresTransaction } from '@cauce/kit/database/transaction'
import { verdict } from '@cauce/kit/idempotency/port'
import { postgresKeys } from '@cauce/kit/idempotency/postgres'
import type { Command, CommandAnswer } from '@cauce/kit/pipeline/commands'
import type { Context, Decision, Handler, Rows } from '@cauce/kit/pipeline/decision'
import { loadRows } from '@cauce/kit/pipeline/load'
import { WorkingSet } from '@cauce/kit/pipeline/working-set'
import { rowsOfBoth, SHOP, tables } from '../common/tables.ts'

/** A decision that may ask the world outside while the transaction is open: what the platform's deciders never do. */
export interface Action extends Pick<Handler<never>, 'lock'> {
  readonly type: string
  decide(data: never, rows: Rows, context: Context): Decision | Promise<Decision>
}

const MOST_TRIES = 4
const again: readonly Blame[] = ['appeared', 'contention', 'unknown-commit']

export interface OneTransactionOptions {
  readonly pool: Pool
  readonly timers: Timers
  readonly actions: readonly Action[]
}

const openRows = rowsOfBoth()
const openKeys = postgresKeys(SHOP)

/** For as long as the transaction lasts. */
const lockKey = { name: 'key.lock', text: `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))::text` }

/** Runs a command. Rejects when the database is away, with nothing done; or with what an action threw, likewise. */
export async function runInOneTransaction(options: OneTransactionOptions, command: Command): Promise<CommandAnswer> {
  for (let tries = 1; ; tries++) {
    const tx = await beginTransaction(options.pool, options.timers)
    try {
      return await attempt(tx, options, command)
    } catch (error) {
      await tx.rollback()
      if (tries === MOST_TRIES || !again.includes(blame(error))) throw error
    }
  }
}

async function attempt(tx: PostgresTransaction, options: OneTransactionOptions, command: Command) {
  const { id, key, requestId, data } = command
  const now = await tx.begun
  const keys = openKeys(tx)
  if (key) await tx.read(lockKey, [key.id])
  const [stored] = key ? await keys.read([key.id]) : []
  const known = key ? verdict(stored, key.fingerprint, now) : { kind: 'fresh' as const }
  if (known.kind !== 'fresh') return replay(tx, known)

  const action = options.actions.find(({ type }) => type === command.type)
  if (!action) throw new Error(`Nothing handles ${command.type}`)
  const rows = new WorkingSet()
  const input = { id, kind: 'command', type: command.type, data, requestId } as const
  const store = openRows(tx)
  const unloadable = await loadRows(store, rows, tables, [input], () => action as Handler<never>)
  for (const error of unloadable.values()) throw error
  const decision = await action.decide(data as never, rows, { now, inputId: id, requestId })
  if (decision.kind === 'accepted') rows.apply(decision.changes)

  await Promise.all(tables.map((table) => store.save(table, rows.changes(table))))
  const reply = command.render(decision)
  if (key && (decision.kind === 'accepted' || decision.keep)) {
    const { ttlMs, ...named } = key
    await keys.write([{ ...reply, ...named, requestId, expiresAt: now + ttlMs }], stored ? [stored] : [])
  }
  await tx.commit()
  return { kind: 'answered', reply, replayed: false, decision, heads: [] } as const
}

async function replay(tx: PostgresTransaction, known: Exclude<ReturnType<typeof verdict>, { kind: 'fresh' }>) {
  await tx.rollback()
  if (known.kind === 'reused') return known
  return { kind: 'answered', reply: known.reply, replayed: true, decision: undefined, heads: [] } as const
}
