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
/** How many times as long it waits for a race to be one. */
const WITHOUT_RACE = 25

export interface Gate {
  /** Everybody waits from here on. */
  shut(): Promise<void>
  /**
   * Opens when `parties` wait, or when nobody has come for `patienceMs`; for much longer while there is nobody to race with, which
   * a machine with better things to do may be the reason of. Gives how many waited.
   *
   * @param workers how many of different application names it takes for a race. Defaults to one, with two connections.
   */
  openFor(parties: number, patienceMs: number, workers?: number): Promise<number>
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
    const sql = `SELECT count(*)::int AS parties, count(DISTINCT application_name)::int AS workers
                 FROM pg_locks JOIN pg_stat_activity USING (pid)
                 WHERE locktype = 'advisory' AND objid = ${LOCK} AND NOT granted AND datname = current_database()`
    return (await keeper.query<{ parties: number; workers: number }>(sql)).rows[0]!
  }
  return {
    shut: async () => void (await keeper.query(`SELECT pg_advisory_lock(${LOCK})`)),
    async openFor(parties, patienceMs, workers = 1) {
      let there = await waiting()
      const patience = () => patienceMs * (there.parties < 2 || there.workers < workers ? WITHOUT_RACE : 1)
      for (let quietMs = 0; there.parties < parties && quietMs < patience(); quietMs += LOOK_MS) {
        await timers.sleep(LOOK_MS)
        const now = await waiting()
        if (now.parties > there.parties) quietMs = 0
        there = now
      }
      await keeper.query(`SELECT pg_advisory_unlock(${LOCK})`)
      return there.parties
    },
    remove: async () => void (await query(`DROP TRIGGER gate ON ${table}; DROP FUNCTION gate`)),
  }
}
