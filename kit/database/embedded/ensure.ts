/**
 * From whatever was left behind to a server that answers: look, do one thing about what was found, look again.
 *
 *   found                                        done about it
 *   a running server that answers                adopted
 *   a running server that does not answer yet    waited for (starting, recovering, stopping)
 *   a running server with another password       stopped and taught the one in postgres.json, whose file was lost
 *   no data                                      initialised, but only by a first start: never under a running application
 *   lock files of a dead server                  cleared if PostgreSQL would not (postmaster.ts)
 *   orphaned children of a killed server         waited for; told to quit after 5 s, killed after 10 s
 *   the port is taken                            the same one tried again for 2 s, then another
 *
 * All of it under the start lock, so that two processes never start, initialise or stop at the same time.
 */
import type { Clock } from '../../core/clock.ts'
import { type Controlled, choosePort, isFree, startServer, stopServer, teachPassword } from './control.ts'
import { EmbeddedPostgresError } from './errors.ts'
import { checkVersion, initialise, isInitialised } from './initialise.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { type Postmaster, clearStaleFiles, endOrphans, runningPostmaster } from './postmaster.ts'
import { probe } from './probe.ts'
import { type Secret, keepSecret, readOrMakeSecret } from './secret.ts'
import { type Settings, writeSettings } from './settings.ts'

export interface Cluster extends Controlled {
  /** Where postgres.json is. */
  home: string
  secret: Secret
  settings: Settings
  clock: Clock
  logger: Logger
  /** False leaves flushing out of initdb. Defaults to true. */
  durable?: boolean
}

export interface Running extends Postmaster {
  /** True when it was running before we came. */
  adopted: boolean
}

export interface EnsureOptions {
  /** May an empty cluster be made when there is none? */
  mayInitialise: boolean
  limitMs: number
  /** Gives up as soon as possible. */
  signal?: AbortSignal
}

const LOOK_AGAIN_MS = 50
const ORPHANS_LIMIT_MS = 15_000
const PORT_PATIENCE_MS = 2_000
/** How often a server may vanish while it starts, without a word. */
const SILENT_LIMIT = 5

/** Call it while holding the start lock. Throws EmbeddedPostgresError. */
export async function ensureRunning(cluster: Cluster, options: EnsureOptions): Promise<Running> {
  const { place, clock, timers, secret } = cluster
  const begun = clock.monotonic()
  let adopted = true
  let silent = 0
  for (;;) {
    const postmaster = runningPostmaster(place)
    if (postmaster) {
      const answer = postmaster.port > 0 ? await probe(place, postmaster.port, secret.password) : 'wait'
      if (answer === 'ready') {
        secret.port = postmaster.port
        return { ...postmaster, adopted }
      }
      if (answer === 'password') await replacePassword(cluster, postmaster)
      else await timers.sleep(LOOK_AGAIN_MS)
    } else {
      adopted = false
      const elapsedMs = clock.monotonic() - begun
      if ((await start(cluster, options.mayInitialise, elapsedMs)) === 'silent' && ++silent > SILENT_LIMIT) {
        throw doesNotStart(cluster, 'It vanished while it started, and its log does not say why.')
      }
    }
    if (options.signal?.aborted || clock.monotonic() - begun > options.limitMs) throw notReady(cluster, options.limitMs)
  }
}

/** One attempt. Throws when there is no use in another. */
async function start(cluster: Cluster, mayInitialise: boolean, elapsedMs: number): Promise<'look' | 'silent'> {
  const { place, account, binaries, timers, secret, settings } = cluster
  if (!isInitialised(place)) {
    if (!mayInitialise) {
      const message = `The embedded database in ${place.data} is gone while it was in use. Put it back, or restart with an empty one.`
      throw new EmbeddedPostgresError('data', message)
    }
    await initialise({ place, account, binaries, timers, password: secret.password, durable: cluster.durable ?? true })
  }
  checkVersion(place, binaries)
  clearStaleFiles(place)
  writeSettings(place, settings)
  if (secret.port > 0 && elapsedMs < PORT_PATIENCE_MS && !mayInitialise && !(await isFree(secret.port))) {
    await timers.sleep(LOOK_AGAIN_MS) // Our clients know this port: worth a moment.
    return 'look'
  }
  const port = await choosePort(secret.port)
  const result = await startServer(cluster, port)
  if (result.ok) {
    if (port !== secret.port) keepSecret(cluster.home, Object.assign(secret, { port }))
    return 'look'
  }
  if (result.reason === 'orphans' && elapsedMs < ORPHANS_LIMIT_MS) {
    if (elapsedMs > ORPHANS_LIMIT_MS * (2 / 3)) endOrphans(place, 'SIGKILL')
    else if (elapsedMs > ORPHANS_LIMIT_MS / 3) endOrphans(place, 'SIGQUIT')
    await timers.sleep(LOOK_AGAIN_MS * 4)
    return 'look'
  }
  if (result.reason === 'silent') return runningPostmaster(place) ? 'look' : 'silent'
  if (result.reason === 'port') return 'look' // Somebody was quicker: another one.
  throw doesNotStart(cluster, result.output)
}

async function replacePassword(cluster: Cluster, { port }: Postmaster): Promise<void> {
  const kept = readOrMakeSecret(cluster.home)
  if (kept.password !== cluster.secret.password) return void Object.assign(cluster.secret, kept) // A twin has replaced it.
  cluster.logger.warn({ place: cluster.place.root }, 'embedded PostgreSQL: its password was lost, giving it a new one')
  keepSecret(cluster.home, Object.assign(cluster.secret, { port }))
  await stopServer(cluster)
  clearStaleFiles(cluster.place)
  const output = await teachPassword(cluster, cluster.secret.password)
  if (output !== null) {
    const message = `The password of the embedded database in ${cluster.place.root} was lost and cannot be replaced.`
    throw new EmbeddedPostgresError('start', message, { output })
  }
}

function doesNotStart({ place }: Cluster, output: string): EmbeddedPostgresError {
  const message = `The embedded PostgreSQL in ${place.root} does not start. Its log is ${place.log}.`
  return new EmbeddedPostgresError('start', message, { output })
}

function notReady({ place }: Cluster, limitMs: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'start',
    `The embedded PostgreSQL in ${place.root} is not ready after ${limitMs} ms. ` +
      `If its log (${place.log}) shows that it is recovering, start again: it goes on where it is.`,
  )
}
