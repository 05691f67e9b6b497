/**
 * Faults on demand: what makes an outside world slow, refusing or forgetful, for tests and labs.
 *
 * F1. They touch the calls that change something. Read-outs stay honest, so that effects can be counted meanwhile.
 * F2. Their order of fate is: wait `latencyMs` (the request is on its way), then perhaps refuse with 503 (nothing was
 *     done), then do the work, then perhaps lose the answer (everything was done and stored, the connection is cut).
 * F3. The n-th call after a PUT has the same fate for the same seed and rates; both dice are thrown for every call, so
 *     changing one rate moves no other fate.
 * F4. They live in memory: a restarted sandbox is healthy. What fired is counted, since a fault that never fired proves
 *     nothing.
 */
import { seeded, type Random } from '@cauce/kit/core/prng'
import type { Timers } from '@cauce/kit/core/clock'
import { fields, integer, only, rate } from './fields.ts'
import { type Answer, busy, type Handler, type Routes } from './http.ts'

export interface FaultPlan {
  /** Waited before every change. Defaults to 0. */
  readonly latencyMs: number
  /** The share of changes refused with 503 before anything is done, 0 to 1. Defaults to 0. */
  readonly errorRate: number
  /** The share of changes done whose answer is lost, 0 to 1. Defaults to 0. */
  readonly lostAnswerRate: number
  /** Defaults to 1. */
  readonly seed: number
}

interface Active {
  readonly plan: FaultPlan
  readonly random: Random
  readonly fired: { delays: number; errors: number; lostAnswers: number }
}

const longestMs = 600_000

export class Faults {
  readonly #timers: Timers
  readonly #active: Map<string, Active>

  /** `providers` are the names that `PUT /faults` takes. */
  constructor(providers: readonly string[], timers: Timers) {
    this.#timers = timers
    this.#active = new Map(providers.map((name) => [name, activate(name, {})]))
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

  /** The handler under the faults of `provider`. */
  around(provider: string, handler: Handler): Handler {
    return async (call) => {
      const active = this.#active.get(provider)
      if (!active) throw new Error(`There are no faults for '${provider}'`)
      const { plan, random, fired } = active
      const refused = random.next() < plan.errorRate
      const lost = random.next() < plan.lostAnswerRate
      if (plan.latencyMs > 0) {
        fired.delays++
        await this.#timers.sleep(plan.latencyMs)
      }
      if (refused) {
        fired.errors++
        return busy('fault', 'This error was asked for with PUT /faults')
      }
      const answer: Answer = await handler(call)
      if (!lost) return answer
      fired.lostAnswers++
      return { ...answer, lost: true }
    }
  }

  #set(body: unknown): void {
    const plans = fields(body, 'The body')
    only(plans, 'The body', [...this.#active.keys()])
    const next = [...this.#active.keys()].map((name) => [name, activate(name, plans[name] ?? {})] as const)
    for (const [name, active] of next) this.#active.set(name, active)
  }

  #report(): Record<string, object> {
    return Object.fromEntries([...this.#active].map(([name, { plan, fired }]) => [name, { ...plan, fired }]))
  }
}

function activate(name: string, value: unknown): Active {
  const from = fields(value, name)
  only(from, name, ['latencyMs', 'errorRate', 'lostAnswerRate', 'seed'])
  const plan = {
    latencyMs: integer(from, 'latencyMs', 0, longestMs, 0),
    errorRate: rate(from, 'errorRate'),
    lostAnswerRate: rate(from, 'lostAnswerRate'),
    seed: integer(from, 'seed', 0, Number.MAX_SAFE_INTEGER, 1),
  }
  return { plan, random: seeded(plan.seed, name), fired: { delays: 0, errors: 0, lostAnswers: 0 } }
}
