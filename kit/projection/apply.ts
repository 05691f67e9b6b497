/** Applies a batch to one generation of a view: one transaction for the rows and the cursors (J2). */
import { laneName, turnsOf, type Turn } from '../consumer/next.ts'
import type { Backlog, CursorStore, LaneRef } from '../consumer/port.ts'
import type { Timers } from '../core/clock.ts'
import type { Pool } from '../database/pool.ts'
import type { Statement } from '../database/session.ts'
import { beginTransaction, type PostgresTransaction } from '../database/transaction.ts'
import { groupOf, type Projection, type Run } from './definition.ts'

export interface ApplyOptions {
  readonly pool: Pool
  readonly schema: string
  readonly timers: Timers
  readonly cursors: (tx: PostgresTransaction) => CursorStore
}

export interface Target {
  readonly definition: Projection
  readonly generation: number
  readonly statements: ReadonlyMap<string, Statement>
}

/**
 * How far a retired generation may go: as far as the one that is read now, so that who changes over sees no step back (J3).
 * Nothing for the others. Read when the cursors are locked: a switch holds them until it is committed.
 */
const ceilingOf = (schema: string): Statement => ({
  name: `${schema}.views.ceiling`,
  text: `SELECT c.source, c.lane, c.position FROM ${schema}.views mine
         JOIN ${schema}.views other ON other.name = mine.name AND other.state = 'active'
         JOIN ${schema}.cursors c ON c.consumer_group = other.name || '@' || other.generation
         WHERE mine.name = $1 AND mine.generation = $2 AND mine.state = 'retired'`,
})

/** Gives how many messages were applied: 0 when others hold the lanes, or have been there already. */
export async function applyBatch(
  { pool, schema, timers, cursors }: ApplyOptions,
  { definition, generation, statements }: Target,
  backlogs: readonly Backlog[],
): Promise<number> {
  const group = groupOf(definition.name, generation)
  const tx = await beginTransaction(pool, timers)
  try {
    const store = cursors(tx)
    const [locked, ceiling] = await Promise.all([
      store.lock(group, backlogs),
      tx.read<LaneRef & { position: number }>(ceilingOf(schema), [definition.name, generation]),
      tx.begun,
    ])
    const ends = new Map(ceiling.map((lane) => [laneName(lane), lane.position]))
    const turns = turnsOf(backlogs, locked).flatMap((turn) => (ends.size > 0 ? upTo(turn, ends) : [turn]))
    if (turns.length === 0) {
      await tx.rollback()
      return 0
    }
    const messages = turns.flatMap((turn) => turn.messages)
    await definition.apply(messages, runner(tx, statements))
    const moved = turns.map(({ cursor, messages: applied }) => {
      const { position, id } = applied.at(-1)!
      return { ...cursor, position, messageId: id }
    })
    await Promise.all([store.move(group, moved, []), tx.commit()])
    return messages.length
  } catch (error) {
    await tx.rollback()
    throw error
  }
}

function upTo({ cursor, messages }: Turn, ends: ReadonlyMap<string, number>): Turn[] {
  const end = ends.get(laneName(cursor)) ?? 0
  const before = messages.filter(({ position }) => position <= end)
  return before.length > 0 ? [{ cursor, messages: before }] : []
}

/** Runs a generation's statements in a transaction. */
export function runner(tx: PostgresTransaction, statements: ReadonlyMap<string, Statement>): Run {
  return async (name, values) => {
    const statement = statements.get(name)
    if (!statement) throw new Error(`The projection has no statement ${name}`)
    return tx.write(statement, values)
  }
}
