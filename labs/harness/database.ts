/**
 * PostgreSQL for a lab: throw-away clusters, one shared by everything that only needs a database, more for labs that kill
 * servers. Connections are plain `pg`: what is shown is what anyone would write.
 */
import pg from 'pg'
import { startThrowAway, type ThrowAwayCluster, type ThrowAwayOptions } from '@cauce/kit/database/embedded/throw-away'

export interface LabDatabase {
  readonly url: string
  readonly pool: pg.Pool
  /** Rows of one statement, on any connection. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** A connection of its own; ended with the lab. */
  connect(): Promise<pg.Client>
}

/** Where the clusters of a run come from. The shared one is started by its first use. */
export class Clusters {
  #shared: Promise<ThrowAwayCluster> | undefined
  #count = 0
  readonly #started: Promise<ThrowAwayCluster>[] = []

  start(options: ThrowAwayOptions = {}): Promise<ThrowAwayCluster> {
    const settings = { max_prepared_transactions: 20, max_connections: 300, ...options.settings }
    const cluster = startThrowAway({ prefix: 'cauce-lab-', ...options, settings })
    this.#started.push(cluster)
    return cluster
  }

  /** An empty database on the shared cluster. */
  async database(label: string, close: (task: () => Promise<unknown>) => void): Promise<LabDatabase> {
    const cluster = await (this.#shared ??= this.start())
    const name = `${label.replaceAll(/[^a-z0-9]+/g, '_')}_${++this.#count}`
    await once(cluster.url, `CREATE DATABASE ${name} STRATEGY FILE_COPY`)
    close(() => once(cluster.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
    const url = new URL(cluster.url)
    url.pathname = `/${name}`
    return databaseAt(url.href, close)
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#started.map(async (cluster) => (await cluster).stop()))
  }
}

/** Connections to a database that is there; ended by what `close` collects. */
export function databaseAt(url: string, close: (task: () => Promise<unknown>) => void, max = 20): LabDatabase {
  const pool = new pg.Pool({ connectionString: url, max, connectionTimeoutMillis: 10_000 })
  // What a lab breaks on purpose is seen by whoever uses the connection.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  close(() => pool.end())
  return {
    url,
    pool,
    query: async <Row extends object>(sql: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(sql, [...values])).rows,
    async connect() {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
      client.on('error', () => undefined)
      await client.connect()
      close(() => client.end().catch(() => undefined))
      return client
    },
  }
}

async function once(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end().catch(() => undefined)
  }
}
