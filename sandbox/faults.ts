/**
 * Faults on demand: what makes an outside world slow, refusing, forgetful or talkative, for tests and labs.
 *
 * F1. They touch the calls that change something, and what is sent on its own. Read-outs stay honest, so that effects can be
 *     counted meanwhile.
 * F2. The fate of a call is: wait `latencyMs` (the request is on its way), then perhaps be refused with 503, or 451 for a mail
 *     (nothing was done), then the work, then perhaps a lost answer (everything was done and stored, the connection is cut).
 *     The fate of a webhook is: wait `delayMs`, then perhaps let the next one of its charge go first, then perhaps go twice.
 * F3. The n-th call after a PUT has the same fate for the same seed and rates; every die is thrown for every call, so
 *     changing one rate moves no other fate.
 * F4. They live in memory: a restarted sandbox is healthy. What fired is counted, since a fault that never fired proves
 *     nothing.
 */
import { seeded, type Random } from '@cauce/kit/core/prng'
import type { Timers } from '@cauce/kit/core/clock'
import { fields, integer, only, rate } from './fields.ts'
import { busy, type Handler, type Routes } from './http.ts'

/** What can go wrong with one kind of traffic: the name of its wait, and its rates (0 to 1) with what each counts as. */
interface FaultKind {
  readonly wait: string
  readonly rates: Readonly<Record<string, string>>
}

/** Calls that somebody makes, and waits for. */
const calls = {
  wait: 'latencyMs',
  rates: { errorRate: 'errors', lostAnswerRate: 'lostAnswers' },
} as const satisfies FaultKind

/** Calls that the sandbox makes on its own. */
const deliveries = {
  wait: 'delayMs',
  rates: { duplicateRate: 'duplicates', reorderRate: 'reorders' },
} as const satisfies FaultKind

/** Who has faults: the names that `PUT /faults` takes. */
const providers = { carrier: calls, card: calls, webhooks: deliveries, mail: calls } as const

export type Provider = keyof typeof providers
type RateOf<Name extends Provider> = keyof (typeof providers)[Name]['rates']

/** What will happen to one call: each die was thrown. */
export interface Fate<Rate> {
  /** Waits as long as was asked for. Woken early by the signal. */
  delay(signal?: AbortSignal): Promise<void>
  /** Whether this is to happen. */
  planned(rate: Rate): boolean
  /** The same, where it does happen: it is counted. */
  strikes(rate: Rate): boolean
}

interface Active {
  readonly kind: FaultKind
  /** Defaults to no wait, all rates 0, and seed 1. */
  readonly plan: Readonly<Record<string, number>>
  readonly random: Random
  readonly fired: Record<string, number>
}

const longestMs = 600_000

export class Faults {
  readonly #timers: Timers
  readonly #active: Map<Provider, Active>

  constructor(timers: Timers) {
    this.#timers = timers
    this.#active = new Map(names.map((name) => [name, activate(name, {})]))
  }

  readonly routes: Routes = {
    'GET /faults': () => ({ status: 200, body: this.#report() }),
    'PUT /faults': ({ body }) => {
      this.#set(body)
      return { status: 200, body: this.#report() }
    },
    'DELETE /faults': () => {
      const last = this.#report()
      this.#set({})
      return { status: 200, body: last }
    },
  }

  /** The fate of the next call of a provider. */
  fate<Name extends Provider>(provider: Name): Fate<RateOf<Name>> {
    const active = this.#active.get(provider)
    if (!active) throw new Error(`There are no faults for '${provider}'`)
    const { kind, plan, random, fired } = active
    const struck = new Set<unknown>(Object.keys(kind.rates).filter((name) => random.next() < (plan[name] ?? 0)))
    const count = (what: string) => (fired[what] = (fired[what] ?? 0) + 1)
    return {
      delay: async (signal) => {
        const waitMs = plan[kind.wait] ?? 0
        if (waitMs === 0) return
        count('delays')
        await this.#timers.sleep(waitMs, signal)
      },
      planned: (name) => struck.has(name),
      strikes: (name) => {
        if (!struck.has(name)) return false
        count(kind.rates[name as string] ?? '')
        return true
      },
    }
  }

  /** The handler under the faults of a provider that is called. */
  around(provider: 'carrier' | 'card', handler: Handler): Handler {
    return async (call) => {
      const fate = this.fate(provider)
      await fate.delay()
      if (fate.strikes('errorRate')) return busy('fault', 'This error was asked for with PUT /faults')
      const answer = await handler(call)
      return fate.strikes('lostAnswerRate') ? { ...answer, lost: true } : answer
    }
  }

  #set(body: unknown): void {
    const plans = fields(body, 'The body')
    only(plans, 'The body', names)
    const next = names.map((name) => [name, activate(name, plans[name] ?? {})] as const)
    for (const [name, active] of next) this.#active.set(name, active)
  }

  #report(): Record<string, object> {
    return Object.fromEntries([...this.#active].map(([name, { plan, fired }]) => [name, { ...plan, fired }]))
  }
}

const names = Object.keys(providers) as readonly Provider[]

function activate(name: Provider, value: unknown): Active {
  const kind: FaultKind = providers[name]
  const from = fields(value, name)
  const rates = Object.keys(kind.rates)
  only(from, name, [kind.wait, ...rates, 'seed'])
  const plan = {
    [kind.wait]: integer(from, kind.wait, 0, longestMs, 0),
    ...Object.fromEntries(rates.map((each) => [each, rate(from, each)])),
    seed: integer(from, 'seed', 0, Number.MAX_SAFE_INTEGER, 1),
  }
  const none = Object.fromEntries(['delays', ...Object.values(kind.rates)].map((each) => [each, 0]))
  return { kind, plan, random: seeded(plan['seed'] ?? 1, name), fired: none }
}
