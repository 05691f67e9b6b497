/** What can be looked at without a server: Node, the data directory, the key, the disk, the port. */
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import type { Settings } from '../settings.ts'
import type { Translate } from '../texts.ts'
import { fail, fine, warn, type Finding } from './finding.ts'

const OLDEST_NODE = [20, 20, 2] as const
/** The oldest major version that still gets security fixes. */
const SUPPORTED_MAJOR = 22
const GB = 1024 ** 3

export function checkNode(t: Translate, version = process.versions.node): Finding {
  const parts = version.split('.').map(Number)
  const [major = 0] = parts
  const differing = OLDEST_NODE.findIndex((least, index) => parts[index] !== least)
  if (differing >= 0 && (parts[differing] ?? 0) < (OLDEST_NODE[differing] ?? 0))
    return fail('node', version, t('doctor.node.old'))
  return major < SUPPORTED_MAJOR ? warn('node', version, t('doctor.node.outdated', { major })) : fine('node', version)
}

export function checkData(t: Translate, { dataDirectory: path }: Settings): Finding {
  const reason = whyNotWritable(existingPart(path))
  if (reason !== undefined) return fail('data', path, t('doctor.data.unwritable', { reason }))
  if (!existsSync(path)) return fine('data', t('doctor.data.new', { path }))
  const location = locationOf(path)
  const detail = location === undefined ? path : t('doctor.data.elsewhere', { path, location })
  if (location !== undefined && !existsSync(location)) {
    return fail('data', detail, t('doctor.data.gone', { location, file: join(path, 'location') }))
  }
  const temporary = ['/tmp', '/var/tmp', tmpdir()].some((directory) => path.startsWith(directory + sep))
  return temporary ? warn('data', detail, t('doctor.data.temporary')) : fine('data', detail)
}

/** Where the embedded database is when it is not in the data directory: its account may not reach that one. */
function locationOf(path: string): string | undefined {
  const file = join(path, 'location')
  return existsSync(file) ? readFileSync(file, 'utf8').trim() || undefined : undefined
}

const existingPart = (path: string): string => (existsSync(path) ? path : existingPart(dirname(path)))

function whyNotWritable(directory: string): string | undefined {
  const file = join(directory, `.cauce-doctor-${process.pid}`)
  try {
    closeSync(openSync(file, 'wx'))
    rmSync(file)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message
  }
}

export function checkKey(t: Translate, { dataDirectory }: Settings): Finding {
  const path = join(dataDirectory, 'dev-key.json')
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return fine('key', t('doctor.key.none'))
  if (!isKey(path)) return fail('key', path, t('doctor.key.damaged', { path }))
  return (stat.mode & 0o077) === 0 ? fine('key', path) : warn('key', path, t('doctor.key.open', { path }))
}

function isKey(path: string): boolean {
  try {
    const { crv, d } = JSON.parse(readFileSync(path, 'utf8')) as { crv?: unknown; d?: unknown }
    return crv === 'P-256' && typeof d === 'string'
  } catch {
    return false
  }
}

export async function checkDisk(t: Translate, { dataDirectory }: Settings): Promise<Finding> {
  const path = existingPart(locationOf(dataDirectory) ?? dataDirectory)
  const { bavail, bsize } = await statfs(path)
  const free = bavail * bsize
  const detail = t('doctor.disk.free', { free: `${(free / GB).toFixed(1)} GB`, path })
  if (free < GB / 4) return fail('disk', detail, t('doctor.disk.low'))
  return free < 2 * GB ? warn('disk', detail, t('doctor.disk.low')) : fine('disk', detail)
}

/** Whether the server could listen. `serving`: it does, as was found by asking it. */
export async function checkPort(t: Translate, { host, port, url }: Settings, serving: boolean): Promise<Finding> {
  const own = (new URL(url).port || '80') === port
  if (serving && own) return fine('port', t('doctor.port.cauce', { port }))
  const reason = await whyNotFree(host, Number(port))
  if (reason === undefined) return fine('port', t('doctor.port.free', { port }))
  return fail('port', t('doctor.port.taken', { port, reason }), t('doctor.port.takenAdvice'))
}

function whyNotFree(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    try {
      server.listen({ host, port }, () => server.close(() => resolve(undefined)))
    } catch (error) {
      resolve((error as Error).message)
    }
  })
}
