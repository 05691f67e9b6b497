/** A project for tests: its processes, started and killed; its database; its sandbox; clients that use it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { loadDevKey, signToken } from '@cauce/kit/http/dev-key'
import { createTestDatabase } from '@cauce/kit/database/testing'
import {
  client,
  dataDirectory,
  eventually,
  sandboxOf,
  serverProcess,
  type Client,
  type ServerProcess,
} from '@cauce/server/testing'

export interface TestProject {
  readonly operator: Client
  readonly alice: Client
  /** The process that answers. */
  readonly api: () => ServerProcess
  /** Of a customer. */
  token(subject: string): Promise<string>
  start(services?: string): Promise<ServerProcess>
  sql<Row extends object = Record<string, any>>(text: string): Promise<Row[]>
  /** Holds what the statement locks until it is released. */
  hold(statement: string): Promise<{ release(): Promise<void> }>
  /** Until somebody waits for a lock. */
  blocked(): Promise<void>
  /** The charges of the card processor. */
  charges(): Promise<{ status: string; requests: number; paymentId: string }[]>
  faults(card: object): Promise<void>
  /** Stops what still runs. */
  stop(): Promise<void>
  close(): Promise<void>
}

const programs = { 1: 'projects/1-api-db/main.ts', 2: 'projects/2-queue-worker/main.ts' }

export async function testProject(project: 1 | 2): Promise<TestProject> {
  const database = await createTestDatabase(`project_${project}`)
  const data = dataDirectory()
  const directory = join(data.path, `project-${project}`)
  const name = `${database.name}_project_${project}`
  const own = new URL(database.url)
  own.pathname = `/${name}`
  const running: ServerProcess[] = []
  let api: ServerProcess | undefined
  const url = () => api!.url
  const connect = async (connectionString = own.href) => {
    const connection = new pg.Client({ connectionString })
    connection.on('error', () => undefined)
    await connection.connect()
    return connection
  }
  const sql = async <Row extends object>(text: string): Promise<Row[]> => {
    const connection = await connect()
    return connection.query<Row>(text).then(
      ({ rows }) => connection.end().then(() => rows),
      (error: Error) => connection.end().then(() => Promise.reject(error)),
    )
  }
  const stop = async () => {
    for (const process of running.splice(0)) await process.stop()
  }
  return {
    operator: await client(data.path, url, 'olga', 'operator'),
    alice: await client(data.path, url, 'alice', 'customer'),
    api: () => api!,
    token: async (subject) => signToken(await loadDevKey(data.path), { subject, roles: ['customer'] }),
    sql,
    stop,
    async start(services) {
      const chosen = services === undefined ? {} : { CAUCE_SERVICES: services }
      const environment = { DATABASE_URL: database.url, CAUCE_DATA: data.path, CAUCE_LEASE_MS: '1000', ...chosen }
      const process = await serverProcess(environment, programs[project])
      running.push(process)
      if (services !== 'worker') api = process
      return process
    },
    async hold(statement) {
      const connection = await connect()
      await connection.query('BEGIN')
      await connection.query(statement)
      return { release: () => connection.end() }
    },
    async blocked() {
      const waiting = `SELECT FROM pg_stat_activity WHERE datname = '${name}' AND wait_event_type = 'Lock'`
      await eventually(
        () => sql(waiting),
        ({ length }) => length > 0,
      )
    },
    charges: async () => (await sandboxOf(directory, '/charges')).items,
    faults: async (card) => void (await sandboxOf(directory, '/faults', 'PUT', { card })),
    async close() {
      await stop()
      // One that was adopted outlives its server.
      const { pid } = JSON.parse(readFileSync(join(directory, 'sandbox.json'), 'utf8')) as { pid: number }
      try {
        process.kill(pid, 'SIGTERM')
      } catch {
        // It ended with the server that had started it.
      }
      const administrator = await connect(database.url)
      await administrator.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
      await administrator.end()
      await database.drop()
      data.remove()
    },
  }
}

/** An order of one product, paid from the wallet or with a card. */
export const orderOf = (sku: string, card?: string) => ({
  lines: [{ sku, quantity: 1 }],
  payment: card === undefined ? { method: 'wallet' } : { method: 'card', token: card },
  shipTo: { name: 'Alice', line1: 'Calle Mayor 1', city: 'Madrid', postalCode: '28013', country: 'ES' },
})
