/** What every command gets: its language, where to print, the settings, the server's API, and time and chance as parameters. */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import { seconds } from '@cauce/kit/core/clock'
import type { IdSource } from '@cauce/kit/core/ids'
import type { Random } from '@cauce/kit/core/prng'
import { createApi, type Api } from './http/api.ts'
import { createClient, type Client, type Fetch } from './http/client.ts'
import { createTokens } from './http/tokens.ts'
import { createOutput, type Output, type Sink } from './output.ts'
import { readSettings, type Settings } from './settings.ts'
import { translator, type Lang, type Translate } from './texts.ts'

/** The world outside, so that a test can be one. */
export interface World {
  readonly env: NodeJS.ProcessEnv
  readonly directory: string
  readonly stdout: Sink
  readonly stderr: Sink
  readonly fetch: Fetch
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly ids: IdSource
  /** Where the signals of the operating system arrive. */
  readonly signals: Signals
}

export interface Signals {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
}

export interface GlobalFlags {
  readonly json?: true | undefined
  readonly url?: string | undefined
  readonly data?: string | undefined
}

export interface ConnectOptions {
  /** How long a server that answered before is waited for. Defaults to 30,000. */
  readonly patienceMs?: number
  /** Whether to say nothing while waiting: something else shows it. */
  readonly quiet?: () => boolean
}

export interface Shell {
  readonly world: World
  readonly lang: Lang
  readonly t: Translate
  readonly output: Output
  readonly settings: Settings
  /** A connection to the server, and its API over it. */
  connect(options?: ConnectOptions): { api: Api; client: Client }
}

/** Long enough for a restart of the server and for a request that was silent to be sent again; short enough to wait for. */
const PATIENCE_MS = seconds(30)

export function createShell(world: World, lang: Lang, flags: GlobalFlags): Shell {
  const { env, directory, stdout, stderr, clock } = world
  const t = translator(lang)
  const output = createOutput({ stdout, stderr, env, json: flags.json === true })
  const settings = readSettings(flags, env, directory, t)
  return {
    world,
    lang,
    t,
    output,
    settings,
    connect({ patienceMs = PATIENCE_MS, quiet = () => false } = {}) {
      const say = (text: string) => (quiet() ? undefined : output.note(text))
      const client = createClient({
        ...world,
        url: settings.url,
        patienceMs,
        onAway: (reason) => say(t('waiting.away', { reason, seconds: Math.round(patienceMs / 1000) })),
        onBack: (awayMs) => say(t('waiting.back', { seconds: Math.round(awayMs / 1000) })),
      })
      return { client, api: createApi(client, createTokens(settings.dataDirectory, clock)) }
    },
  }
}
