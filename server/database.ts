/** The database a server runs on: the embedded one, or whatever DATABASE_URL names. */
import pg from 'pg'
import type { Timers } from '@cauce/kit/core/clock'
import { readDurability, type Durability } from '@cauce/kit/database/durability'
import { startEmbedded } from '@cauce/kit/database/embedded/server'
import { connectionConfig } from '@cauce/kit/database/session'
import type { Logger } from '@cauce/kit/telemetry/logger'
import type { Config } from './config.ts'

export interface OpenDatabase {
  /** The URL to connect to now. */
  url(): string
  /** For people: where it is, without a password. */
  readonly described: string
  readonly durability: Durability
  close(): Promise<void>
}

export async function openDatabase(config: Config, logger: Logger, timers: Timers): Promise<OpenDatabase> {
  const { databaseUrl, dataDirectory } = config
  if (databaseUrl !== undefined) {
    const durability = await durabilityOf(databaseUrl)
    const { host, pathname } = new URL(databaseUrl)
    const described = `PostgreSQL ${durability.settings.version} at ${host}${pathname}`
    return { url: () => databaseUrl, described, durability, close: async () => undefined }
  }
  const server = await startEmbedded({ dataDirectory, logger, timers })
  server.onState((state) => {
    if (state === 'down') logger.error({ location: server.location }, 'embedded PostgreSQL: gone, starting it again')
    if (state === 'up') logger.info({ location: server.location }, 'embedded PostgreSQL: back')
  })
  const durability = await durabilityOf(server.url)
  return {
    url: () => server.url,
    described: `embedded PostgreSQL ${durability.settings.version} in ${server.location}${server.adopted ? ' (was running)' : ''}`,
    durability,
    close: async () => {
      await server.stop()
    },
  }
}

async function durabilityOf(url: string): Promise<Durability> {
  const { pipeline: _off, ...config } = connectionConfig(url, 'pipeline')
  const client = new pg.Client(config)
  try {
    await client.connect()
    return await readDurability(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
