/** What every command gets: its language, where to print, the settings, the server's API, and time and chance as parameters. */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import { seconds } from '@cauce/kit/core/clock'
import type { IdSource } from '@cauce/kit/core/ids'
import type { Random } from '@cauce/kit/core/prng'
import { createApi, type Api } from './http/api.ts'
import { createClient, type Client, type ClientOptions } from './http/client.ts'
import { createTokens, type Tokens } from './http/tokens.ts'
import { createOutput, type Output, type Sink } from './output.ts'
import { readSettings, type Settings } from './settings.ts'
import { translator, type Lang, type Translate } from './texts.ts'

/** The world outside, so that a test can be one. */
export interface World {
  readonly env: NodeJS.ProcessEnv
  readonly directory: string
  readonly stdout: Sink
  readonly stderr: Sink
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly ids: IdSource
}

export interface GlobalFlags {
  readonly json?: true | undefined
  readonly url?: string | undefined
  readonly data?: string | undefined
}

export interface Shell {
  readonly world: World
  readonly lang: Lang
  readonly t: Translate
  readonly output: Output
  readonly settings: Settings
  readonly tokens: Tokens
  /** A connection to the server, and its API over it. Patience: how long a server that answered before is waited for. */
  connect(options?: Partial<Pick<ClientOptions, 'patienceMs' | 'onAway' | 'onBack'>>): { api: Api; client: Client }
}

/** Long enough for a restart of the server, short enough for somebody who waits at the terminal. */
const PATIENCE_MS = seconds(10)

export function createShell(world: World, lang: Lang, flags: GlobalFlags): Shell {
  const { env, directory, stdout, stderr, clock } = world
  const t = translator(lang)
  const output = createOutput({ stdout, stderr, env, json: flags.json === true })
  const settings = readSettings(flags, env, directory, t)
  const tokens = createTokens(settings.dataDirectory, clock)
  return {
    world,
    lang,
    t,
    output,
    settings,
    tokens,
    connect({ patienceMs = PATIENCE_MS, onAway, onBack } = {}) {
      const say = {
        onAway:
          onAway ?? ((reason: string) => output.note(t('waiting.away', { reason, seconds: Math.round(patienceMs / 1000) }))),
        onBack: onBack ?? ((awayMs: number) => output.note(t('waiting.back', { seconds: Math.round(awayMs / 1000) }))),
      }
      const client = createClient({ ...world, ...say, url: settings.url, patienceMs })
      return { client, api: createApi(client, tokens) }
    },
  }
}
