/**
 * PostgreSQL for tests: one throw-away cluster for a whole run, a fresh database for each test file.
 *
 *   const database = await createTestDatabase('ledger')                          // empty
 *   const database = await withTemplate('orders', (url) => migrate({ url, … }))  // prepared once, cloned each time
 *   afterAll(database.drop)
 *
 * 1. The cluster is PostgreSQL 18 from npm; with CAUCE_TEST_POSTGRES=15 it is the one in /usr/lib/postgresql/15/bin.
 * 2. Nothing outlives the run, however it ends (embedded/throw-away.ts).
 * 3. Under vitest the global set-up starts the cluster and CAUCE_TEST_CLUSTER carries its URL to the workers, and to whatever
 *    they spawn. Elsewhere the first use starts one for the process, or a script calls startTestCluster() itself.
 */
import { createHash, randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Settings } from './embedded/settings.ts'
import { startThrowAway } from './embedded/throw-away.ts'

export interface TestDatabase {
  url: string
  name: string
  /** Also when somebody is still connected. Idempotent. */
  drop(): Promise<void>
}

export interface TestCluster {
  /** A superuser's, to the database `postgres`. */
  url: string
  createDatabase(label?: string): Promise<TestDatabase>
  withTemplate(key: string, prepare: (url: string) => Promise<unknown>): Promise<TestDatabase>
}

export interface OwnedTestCluster extends TestCluster {
  /** Stops the server and deletes everything. Idempotent. */
  stop(): Promise<void>
}

export interface TestClusterOptions {
  /** `18` is the one from npm; any other major version is looked for in /usr/lib/postgresql. Defaults to CAUCE_TEST_POSTGRES, else 18. */
  version?: string
  /** Added to, or instead of, the settings for tests. */
  settings?: Settings
}

const VARIABLE = 'CAUCE_TEST_CLUSTER'

/** Fast instead of durable, and room for many test files at a time. */
const testSettings: Settings = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: 300,
  max_prepared_transactions: 10,
}

/** A fresh, empty database. `label` is for people who look at the server. */
export async function createTestDatabase(label?: string): Promise<TestDatabase> {
  return (await shared()).createDatabase(label)
}

/**
 * A copy of a database that `prepare` filled the first time the key was seen in this run (other processes wait for it).
 * It must close its connections. The key stands for what it does: other contents, another key.
 */
export async function withTemplate(key: string, prepare: (url: string) => Promise<unknown>): Promise<TestDatabase> {
  return (await shared()).withTemplate(key, prepare)
}

/** Starts a cluster of one's own. It is gone when this process is. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<OwnedTestCluster> {
  const { version = process.env['CAUCE_TEST_POSTGRES'] || '18', settings } = options
  const cluster = await startThrowAway({ version, settings: { ...testSettings, ...settings }, prefix: 'cauce-test-' })
  return { ...clusterAt(cluster.url), stop: () => cluster.stop() }
}

/** For the global set-up: a cluster that `createTestDatabase` in this process and its children uses. */
export async function shareTestCluster(): Promise<OwnedTestCluster> {
  const cluster = await startTestCluster()
  process.env[VARIABLE] = cluster.url
  return cluster
}

let started: Promise<TestCluster> | undefined

function shared(): Promise<TestCluster> {
  const url = process.env[VARIABLE]
  return url ? Promise.resolve(clusterAt(url)) : (started ??= shareTestCluster())
}

function clusterAt(url: string): TestCluster {
  return {
    url,
    async createDatabase(label = 'test') {
      return asAdministrator(url, (client) => create(client, url, label))
    },
    async withTemplate(key, prepare) {
      return asAdministrator(url, async (client) => {
        const template = await templateFor(client, url, key, prepare)
        return create(client, url, key, template)
      })
    },
  }
}

async function create(client: pg.Client, url: string, label: string, template = 'template1'): Promise<TestDatabase> {
  const name = `${label
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40)}_${randomBytes(5).toString('hex')}`
  await client.query(`CREATE DATABASE "${name}" TEMPLATE "${template}" STRATEGY FILE_COPY`)
  return {
    url: withDatabase(url, name),
    name,
    drop: () =>
      asAdministrator(url, async (other) => void (await other.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`))),
  }
}

/** The name of the template, made when nobody has. One process makes it, holding a lock; one that died half-way is done over. */
async function templateFor(
  client: pg.Client,
  url: string,
  key: string,
  prepare: (url: string) => Promise<unknown>,
): Promise<string> {
  const name = `template_${createHash('sha256').update(key).digest('hex').slice(0, 16)}`
  await client.query('SELECT pg_advisory_lock(hashtext($1))', [name]) // Until the connection closes.
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1 AND datistemplate', [name])
  if (rowCount) {
    await client.query('SELECT pg_advisory_unlock(hashtext($1))', [name])
    return name
  }
  await client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
  await client.query(`CREATE DATABASE "${name}" STRATEGY FILE_COPY`)
  await prepare(withDatabase(url, name))
  await client.query(`ALTER DATABASE "${name}" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`)
  return name
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

async function asAdministrator<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}
