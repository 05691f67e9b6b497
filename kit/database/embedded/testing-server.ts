/** For the tests of the embedded server: throw-away data directories, processes to kill, and waiting with an end. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { systemClock, systemTimers } from '../../core/clock.ts'
import { createLogger, silentLogger } from '../../telemetry/logger.ts'
import { knownRoot, placeIn } from './place.ts'
import { runningPostmaster } from './postmaster.ts'
import { serversOf, signal } from './processes.ts'
import { startEmbedded } from './server.ts'

/** An empty directory that every account can pass through, and how to get rid of it and of what runs on it. */
export function temporaryHome(mode = 0o755): { home: string; remove(): Promise<void> } {
  const parent = mkdtempSync(join(tmpdir(), 'cauce-embedded-'))
  chmodSync(parent, mode)
  const home = join(parent, 'data')
  return {
    home,
    async remove() {
      const root = (() => {
        try {
          return knownRoot(home)
        } catch {
          return undefined
        }
      })()
      if (root) {
        const { data } = placeIn(root)
        for (const pid of serversOf(data)) signal(pid, 'SIGKILL')
        await until('the servers are gone', () => serversOf(data).length === 0)
        if (root !== join(home, 'pg')) rmSync(dirname(root), { recursive: true, force: true })
      }
      rmSync(parent, { recursive: true, force: true })
    },
  }
}

/**
 * Like temporaryHome, with a cluster in it that was stopped cleanly and holds one row: `SELECT number FROM kept` answers 7.
 * Copied from one that `original` holds, which is made when it does not: initdb takes a second, a copy a tenth of it.
 */
export async function preparedHome(original: string): Promise<ReturnType<typeof temporaryHome>> {
  if (!existsSync(original)) {
    const server = await startEmbedded({ dataDirectory: original, logger: silentLogger() })
    await ask(server.url, 'CREATE TABLE kept AS SELECT 7 AS number')
    await server.stop()
  }
  const scratch = temporaryHome()
  execFileSync('cp', ['-a', original, scratch.home])
  return scratch
}

/** Polls until the condition holds. Throws after `limitMs`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
  const begun = systemClock.monotonic()
  while (!(await holds())) {
    if (systemClock.monotonic() - begun > limitMs) throw new Error(`Not after ${limitMs} ms: ${what}`)
    await systemTimers.sleep(10)
  }
}

/** A process of its own that runs this module code and prints lines; its process group can be killed. */
export function startProcess(code: string): { child: ChildProcess; line(): Promise<string>; kill(): Promise<void> } {
  const here = dirname(fileURLToPath(import.meta.url))
  const loader = (process.features as { typescript?: unknown }).typescript ? [] : ['--import', 'tsx']
  const child = spawn(process.execPath, [...loader, '--input-type=module', '-e', code], {
    cwd: here,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()))
  return {
    child,
    async line() {
      const next = await lines.next()
      if (next.done) throw new Error('The process ended without another line')
      return next.value
    },
    async kill() {
      if (child.pid) signal(-child.pid, 'SIGKILL')
      await closed
    },
  }
}

/** The URL of one of our modules, quoted, for the code of startProcess. */
export const moduleUrl = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)

/**
 * A process that starts the embedded server, prints "pid adopted" and lives until it is killed, or until its standard input
 * ends: then it stops the server and prints how.
 */
export function startOwner(home: string): ReturnType<typeof startProcess> {
  return startProcess(`
    import { startEmbedded } from ${moduleUrl('./server.ts')}
    import { silentLogger } from ${moduleUrl('../../telemetry/logger.ts')}
    const server = await startEmbedded({ dataDirectory: ${JSON.stringify(home)}, logger: silentLogger() })
    process.stdout.write(server.pid + ' ' + server.adopted + '\\n')
    process.stdin.resume().on('end', () => server.stop().then((outcome) => process.stdout.write(outcome + '\\n')))
  `)
}

/** Runs one statement on a connection of its own. */
export async function ask<R extends pg.QueryResultRow>(url: string, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<R>(sql)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

/** The process id of the server of a data directory; throws when none is running. */
export function postmasterOf(home: string): number {
  const root = knownRoot(home)
  const running = root ? runningPostmaster(placeIn(root)) : null
  if (!running) throw new Error(`No server is running in ${home}`)
  return running.pid
}

/** A logger whose messages can be read. */
export function recordingLogger(): { logger: ReturnType<typeof createLogger>; messages: string[] } {
  const messages: string[] = []
  const stream = { write: (line: string) => messages.push((JSON.parse(line) as { msg: string }).msg) }
  return { logger: createLogger({ level: 'debug', stream }), messages }
}
