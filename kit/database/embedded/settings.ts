/** The server's settings, in a file of their own (`cauce.conf`) that is written anew before every start. */
import { release } from 'node:os'
import { join } from 'node:path'
import { readIfThere, writeWhole } from './files.ts'
import { type Place, socketDirectory } from './place.ts'

export type Settings = Record<string, string | number>

export const SETTINGS_FILE = 'cauce.conf'

/** What every cluster of ours has. The port is not here: it goes by the command line, chosen at each start. */
export const defaultSettings: Settings = {
  listen_addresses: '127.0.0.1',
  max_connections: 200,
  password_encryption: 'scram-sha-256',
  // Durability: an answer to COMMIT means it is on the disk.
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  min_wal_size: '256MB',
  ...fasterRecovery(),
  // Short statements only: compiling them costs more than it saves.
  jit: 'off',
  // Parallel workers want more /dev/shm than a container has, and cores that the application needs.
  max_parallel_workers_per_gather: 0,
  // A backend whose client was killed notices while it runs a statement, and lets go of its locks.
  client_connection_check_interval: '1s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Values are customers' data: they stay out of the log.
  log_parameter_max_length_on_error: 0,
  log_line_prefix: '%m [%p] ',
}

/** Writes the file when it would change. */
export function writeSettings(place: Place, settings: Settings): void {
  const all: Settings = {
    unix_socket_directories: socketDirectory(place) ?? '',
    unix_socket_permissions: '0700',
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'`)
  const text = [
    '# Written at every start. Changes belong into postgresql.auto.conf (ALTER SYSTEM).',
    ...lines,
    '',
  ].join('\n')
  const path = join(place.data, SETTINGS_FILE)
  if (readIfThere(path) === text) return
  writeWhole(path, text, 0o600)
}

/**
 * After a crash everything is flushed before recovery begins. By default that goes file by file, which took 5 s for our 1,400
 * files on a busy disk; one call for the whole file system took half of it. Since Linux 5.8 it reports failed writes as well.
 */
function fasterRecovery(): Settings {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  const reliable = process.platform === 'linux' && (major > 5 || (major === 5 && minor >= 8))
  return reliable ? { recovery_init_sync_method: 'syncfs' } : {}
}
