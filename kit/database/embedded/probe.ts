/** Asks a server the only questions that count: may we log in, is it our cluster, is our database there? */
import pg from 'pg'
import { DATABASE, SUPERUSER } from './initialise.ts'
import type { Place } from './place.ts'

export type Probe =
  | 'ready'
  /** It is starting, recovering, stopping or full: ask again. */
  | 'wait'
  /** It does not accept our password. */
  | 'password'
  /** Something answers on that port, and it is not our cluster. */
  | 'stranger'

const CONNECT_MS = 2_000

/** `socket`: the directory of the server's Unix socket, which costs a third less than the loopback and is used when it is there. */
export function urlOf(port: number, password: string, { database = DATABASE, socket }: UrlOptions = {}): string {
  const by = socket === undefined ? '' : `?host=${encodeURIComponent(socket)}`
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}${by}`
}

interface UrlOptions {
  readonly database?: string
  readonly socket?: string | undefined
}

/** Also creates our database when it is missing. */
export async function probe(place: Place, port: number, password: string): Promise<Probe> {
  try {
    return await withClient(urlOf(port, password), (client) => identify(client, place))
  } catch (error) {
    if (codeOf(error) === '3D000') return createDatabase(place, port, password)
    return meaningOf(error)
  }
}

async function createDatabase(place: Place, port: number, password: string): Promise<Probe> {
  try {
    return await withClient(urlOf(port, password, { database: 'postgres' }), async (client) => {
      const identity = await identify(client, place)
      if (identity === 'ready') await client.query(`CREATE DATABASE ${DATABASE}`)
      return identity
    })
  } catch (error) {
    return meaningOf(error)
  }
}

async function identify(client: pg.Client, place: Place): Promise<Probe> {
  const { rows } = await client.query<{ directory: string }>(`SELECT current_setting('data_directory') AS directory`)
  return rows[0]?.directory === place.data ? 'ready' : 'stranger'
}

function meaningOf(error: unknown): Probe {
  const code = codeOf(error)
  return code === '28P01' || code === '28000' ? 'password' : 'wait'
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: CONNECT_MS, query_timeout: 60_000 })
  client.on('error', () => {}) // A server that dies meanwhile fails the query as well.
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}
