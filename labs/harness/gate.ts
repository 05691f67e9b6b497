/**
 * A gate that PostgreSQL itself keeps: whoever is about to insert into a table waits before its row is written, with whatever
 * it has read and decided so far. Opened once all who can come stand before it, it forces the worst interleaving on any code,
 * in any process, without that code knowing.
 *
 *   SELECT … nothing there │  gate  │  INSERT        code that looks first has looked, all of it, before one row is written
 *
 * Code that takes turns sends one at a time to the gate: nobody else comes for a while, and it opens for that one.
 */
import type { Timers } from '@cauce/kit/core/clock'
import type { LabDatabase } from './database.ts'

/** Whoever holds the advisory lock of this number keeps the gate shut. */
const LOCK = 57_001

/** How often it is looked who waits. */
const LOOK_MS = 5

export interface Gate {
  /** Everybody waits from here on. */
  shut(): Promise<void>
  /**
   * Opens when `parties` wait, or when nobody has come for `patienceMs`, five times as long while there is nobody to race with.
   * Gives how many waited.
   */
  openFor(parties: number, patienceMs: number): Promise<number>
  /** Takes it away again. */
  remove(): Promise<void>
}

/** Puts a gate before the rows of a table, which may have been made by anybody. */
export async function gateBefore(table: string, { query, connect }: LabDatabase, timers: Timers): Promise<Gate> {
  await query(`CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN PERFORM pg_advisory_xact_lock_shared(${LOCK}); RETURN NEW; END $$`)
  await query(`CREATE TRIGGER gate BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION gate()`)
  const keeper = await connect()
  const waiting = async () => {
    const sql = `SELECT count(*)::int AS waiting FROM pg_locks
                 WHERE locktype = 'advisory' AND objid = ${LOCK} AND NOT granted
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
    return (await keeper.query<{ waiting: number }>(sql)).rows[0]!.waiting
  }
  return {
    shut: async () => void (await keeper.query(`SELECT pg_advisory_lock(${LOCK})`)),
    async openFor(parties, patienceMs) {
      let came = await waiting()
      for (let quietMs = 0; came < parties && quietMs < patienceMs * (came < 2 ? 5 : 1); quietMs += LOOK_MS) {
        await timers.sleep(LOOK_MS)
        const now = await waiting()
        if (now > came) quietMs = 0
        came = now
      }
      await keeper.query(`SELECT pg_advisory_unlock(${LOCK})`)
      return came
    },
    remove: async () => void (await query(`DROP TRIGGER gate ON ${table}; DROP FUNCTION gate`)),
  }
}
