/**
 * D: commits that were acknowledged, and a server that is killed (kill -9, all of its processes). With `synchronous_commit = off`
 * COMMIT is answered while its record is still in the server's memory; the WAL writer flushes it a moment later. Here it looks
 * only every ten seconds, and nothing else writes, so the kill comes before its next look.
 *
 * It is a crash of PostgreSQL, not of the machine: what the server had given to the operating system survives it. With
 * `synchronous_commit = on` a commit was not only given to it, but flushed to the disk (fsync). That this helps against a power
 * cut as well cannot be shown by killing a process.
 */
import type { ThrowAwayCluster } from '@cauce/kit/database/embedded/throw-away'
import type { AcidStage, Letter, LetterFound } from './acid-letter.ts'

/** The WAL writer's longest delay; its first look comes right after its start. */
const QUIET = { autovacuum: 'off', bgwriter_lru_maxpages: 0, wal_writer_delay: '10s' }
/** Since that look, with a margin. */
const QUIET_FOR_MS = 8_000
const MOST_ATTEMPTS = 5

export const durability: Letter = async (stage, kept) => {
  const cluster = await stage.cluster({ ...QUIET, synchronous_commit: kept ? 'on' : 'off' })
  const { commits } = stage.parameters
  for (let attempt = 1; !(await commitAll(stage, cluster, commits)); attempt++) {
    if (attempt === MOST_ATTEMPTS) throw new Error('This machine is too slow to commit anything within some seconds')
    await cluster.shutDown()
    await cluster.start()
  }
  await cluster.kill()
  await cluster.start()
  return count(stage, cluster, commits, kept)
}

/** Commits so many rows, one by one. False when the WAL writer may have had its turn meanwhile. */
async function commitAll({ connectTo }: AcidStage, cluster: ThrowAwayCluster, commits: number): Promise<boolean> {
  const client = await connectTo(cluster).connect()
  try {
    await client.query('CREATE TABLE IF NOT EXISTS acknowledged (id integer PRIMARY KEY)')
    await client.query('TRUNCATE acknowledged')
    await client.query('CHECKPOINT')
    for (let id = 0; id < commits; id++) await client.query('INSERT INTO acknowledged VALUES ($1)', [id])
    const { rows } = await client.query<{ ms: number }>(
      `SELECT extract(epoch FROM clock_timestamp() - backend_start)::float8 * 1000 AS ms
       FROM pg_stat_activity WHERE backend_type = 'walwriter'`,
    )
    return (rows[0]?.ms ?? Infinity) < QUIET_FOR_MS
  } finally {
    await client.end()
  }
}

async function count(
  { connectTo, note }: AcidStage,
  cluster: ThrowAwayCluster,
  commits: number,
  kept: boolean,
): Promise<LetterFound> {
  const { query } = connectTo(cluster)
  const [row] = await query<{ kept: number }>('SELECT count(*)::integer AS kept FROM acknowledged')
  const left = row?.kept ?? 0
  const how = `synchronous_commit ${kept ? 'on' : 'off'}`
  note({
    en: `D: ${how}: ${commits} commits were acknowledged; after kill -9 and recovery ${left} are there`,
    es: `D: ${how}: se confirmaron ${commits} commits; tras el kill -9 y la recuperación hay ${left}`,
  })
  return { broken: commits - left, works: commits > 0 }
}
