/**
 * A PostgreSQL cluster for a while: in a temporary directory, gone with whoever started it. For tests and labs, which break
 * things on purpose and never touch a user's data.
 *
 * 1. Nothing outlives its process, however that ends: a watchdog, in a session of its own, holds the other end of a pipe. When
 *    the pipe closes (stop, exit, kill -9) it stops the servers and deletes the directory.
 * 2. `kill` is a kill -9 of the server and of everything it started: what was only in their memory is lost. What the operating
 *    system had been given is not, so this is a crash of PostgreSQL, not of the machine.
 * 3. A standby is a copy of the stopped primary that then follows it over the network. Both end together.
 */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemTimers } from '../../core/clock.ts'
import { silentLogger } from '../../telemetry/logger.ts'
import { type Account, chooseAccount } from './account.ts'
import { type Binaries, binariesIn, findBinaries } from './binaries.ts'
import { stopServer } from './control.ts'
import { type Cluster, ensureRunning } from './ensure.ts'
import { SUPERUSER } from './initialise.ts'
import { makePlace, placeIn } from './place.ts'
import { runningPostmaster } from './postmaster.ts'
import { urlOf } from './probe.ts'
import { canEnter, run, serversOf, signal } from './processes.ts'
import { readOrMakeSecret } from './secret.ts'
import { type Settings, defaultSettings } from './settings.ts'

export interface ThrowAwayOptions {
  /** `18` is the one from npm; any other major version is looked for in /usr/lib/postgresql. Defaults to 18. */
  readonly version?: string
  /** Added to, or instead of, the default settings. */
  readonly settings?: Settings
  /** The first part of the directory's name. Defaults to `cauce-`. */
  readonly prefix?: string
}

export interface ThrowAwayCluster {
  /** A superuser's, to the database `postgres`. It stays the same when the server is started again. */
  readonly url: string
  /** Whether a server runs. */
  readonly running: boolean
  /** kill -9 of the server and all its processes. Resolves when none is left. */
  kill(): Promise<void>
  /** Stops it; open transactions are rolled back. */
  shutDown(): Promise<void>
  /** Starts it again, perhaps with other settings; resolves when it answers, recovery included. */
  start(settings?: Settings): Promise<void>
  /**
   * A second server that follows this one by streaming replication and answers reads. This one is stopped for a moment to be
   * copied, so connections to it end.
   */
  standby(settings?: Settings): Promise<ThrowAwayCluster>
  /** Stops everything and deletes it. Idempotent. */
  stop(): Promise<void>
}

/** Starts a cluster of one's own. It is gone when this process is. */
export async function startThrowAway(options: ThrowAwayOptions = {}): Promise<ThrowAwayCluster> {
  const { version = '18', settings, prefix = 'cauce-' } = options
  const account = chooseAccount(undefined)
  const home = await makeHome(account, prefix)
  const watchdog = watch(home)
  try {
    const seek = { timers: systemTimers, logger: silentLogger(), account }
    const binaries =
      version === '18' ? await findBinaries(seek) : await binariesIn(`/usr/lib/postgresql/${version}/bin`, seek)
    const place = makePlace(join(home, 'pg'), account)
    return await clusterIn({ home, place, account, binaries, stop: watchdog }, { ...defaultSettings, ...settings })
  } catch (error) {
    await watchdog()
    throw error
  }
}

interface Site extends Pick<Cluster, 'place' | 'account'> {
  readonly home: string
  readonly binaries: Binaries
  stop(): Promise<void>
}

async function clusterIn(site: Site, first: Settings): Promise<ThrowAwayCluster> {
  const { home, place, account, binaries } = site
  const secret = readOrMakeSecret(home)
  const cluster: Cluster = {
    home,
    place,
    account,
    binaries,
    secret,
    settings: { ...first },
    durable: false,
    clock: systemClock,
    timers: systemTimers,
    logger: silentLogger(),
  }
  const start = async () => (await ensureRunning(cluster, { mayInitialise: true, limitMs: 60_000 })).port
  let port = await start()

  const self: ThrowAwayCluster = {
    get url() {
      return urlOf(port, secret.password, { database: 'postgres' })
    },
    get running() {
      return runningPostmaster(place) !== null
    },
    async kill() {
      for (const pid of serversOf(place.data)) signal(pid, 'SIGKILL')
      while (serversOf(place.data).length > 0) await systemTimers.sleep(5)
    },
    shutDown: () => stopServer(cluster),
    async start(settings) {
      Object.assign(cluster.settings, settings)
      port = await start()
    },
    async standby(settings) {
      await self.shutDown()
      const copy = placeIn(await copyOf(site, `standby-${port}`))
      await self.start()
      const followed = `host=127.0.0.1 port=${port} user=${SUPERUSER} password=${secret.password} application_name=standby`
      writeFileSync(join(copy.data, 'standby.signal'), '')
      const follower = { ...site, home: join(home, `standby-${port}`), place: copy }
      return clusterIn(follower, { ...first, primary_conninfo: followed, hot_standby: 'on', ...settings })
    },
    stop: site.stop,
  }
  return self
}

/** A copy of everything, the password included, in a directory beside it. Returns the copy's place. */
async function copyOf({ home, place, account }: Site, name: string): Promise<string> {
  const target = join(home, name)
  execFileSync('mkdir', ['-p', '-m', '755', target])
  execFileSync('cp', ['-a', join(home, 'postgres.json'), target])
  execFileSync('cp', ['-a', place.root, join(target, 'pg')])
  // Whoever asks for a server there is to find none, and to choose another port.
  await run('/bin/sh', ['-c', 'rm -f "$1"', 'sh', join(target, 'pg/data/postmaster.pid')], {
    account,
    timers: systemTimers,
    limitMs: 5_000,
  })
  return join(target, 'pg')
}

/** A directory that the account can reach. */
async function makeHome(account: Account, prefix: string): Promise<string> {
  for (const parent of [tmpdir(), '/tmp', '/var/tmp']) {
    const home = mkdtempSync(join(parent, prefix))
    chmodSync(home, 0o755)
    if (!account.switched || (await canEnter(account, home, systemTimers))) return home
    rmSync(home, { recursive: true })
  }
  throw new Error(
    `No temporary directory that ${account.name} can reach. Set TMPDIR to one that others may pass through.`,
  )
}

/** Standbys first, so that none of them waits for its primary. */
const WATCHDOG = `
cat > /dev/null
for file in "$1"/standby-*/pg/data/postmaster.pid "$1/pg/data/postmaster.pid"; do
  pid=$(head -n 1 "$file" 2> /dev/null)
  [ -n "$pid" ] || continue
  kill -QUIT "$pid" 2> /dev/null
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -e "$file" ] || break; sleep 0.05; done
  [ -e "$file" ] && kill -KILL "$pid" 2> /dev/null
done
rm -rf "$1"`

/** Guards a cluster's directory. Returns how to end it at once. */
function watch(home: string): () => Promise<void> {
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', home], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const ended = new Promise<void>((resolve) => void watchdog.once('close', () => resolve()))
  watchdog.unref()
  return () => {
    watchdog.ref()
    watchdog.stdin.end()
    return ended
  }
}
