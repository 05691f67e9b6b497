/**
 * What can go wrong in a run. Each seed switches some kinds on and others off (a swarm): a run with every fault at once reaches
 * fewer states than many runs with a few each. Rates are probabilities per occasion, or means in virtual milliseconds.
 */
import { integerBetween, seeded, type Random } from '@cauce/kit/core/prng'

/** Name → the rate when it is on: a probability, unless its name ends in Ms. */
const rates = {
  /** A process dies at any moment: mean time between two. */
  crashEveryMs: 20_000,
  crashBeforeCommit: 0.01,
  crashAfterCommit: 0.01,
  /** The answer to COMMIT is lost: it happened, it did not, or it happens later. */
  commitUnknown: 0.02,
  /** A deadlock or serialization failure reported at COMMIT. */
  commitAborted: 0.03,
  /** The database goes away: mean time between two. */
  databaseDownEveryMs: 40_000,
  /** An answer of the database takes seconds. */
  slowAnswer: 0.005,
  /** Statements of several transactions alternate. */
  statementDelay: 0.2,
  /** A process stands still for longer than its leases, then goes on: mean time between two. */
  pauseEveryMs: 30_000,
  /** A wake-up between services never comes. */
  lostWake: 0.5,
  /** The database's clock jumps, forward or back: mean time between two. */
  clockJumpEveryMs: 30_000,
  providerLostAnswer: 0.15,
  providerError: 0.15,
  /** A provider that refuses everything for a while: mean time between two. */
  providerBurstEveryMs: 60_000,
  /** A call arrives once more, later. */
  providerDuplicate: 0.1,
  providerLate: 0.2,
  /** News of the card processor come twice, late and in another order. */
  webhookDisorder: 0.5,
  /** A client sends a request twice, or gives up early and sends it again. */
  clientRepeat: 0.2,
  /** Decisions about some orders throw: 1, while it is on. */
  poison: 1,
  /** An operator redrives at bad moments: mean time between two. */
  operatorEveryMs: 30_000,
} as const

export type FaultName = keyof typeof rates
export const faultNames = Object.keys(rates) as readonly FaultName[]

export interface Faults {
  readonly enabled: ReadonlySet<FaultName>
  /** True when the fault happens on this occasion. False for ever once healed. */
  strikes(name: FaultName): boolean
  /** The time to the next one, or Infinity. */
  nextInMs(name: FaultName): number
  /** The stream faults are drawn from. */
  readonly random: Random
  /** From now on things go wrong. */
  begin(): void
  /** Nothing goes wrong any more. */
  heal(): void
  /** Whether it is on now. */
  isOn(name: FaultName): boolean
  /** One that was scheduled has struck. */
  note(name: FaultName): void
  /** How often each has struck. */
  readonly struck: ReadonlyMap<FaultName, number>
}

/** `only`: of the faults that the seed switches on, those that stay on. */
export function faultsOf(seed: number, only?: ReadonlySet<FaultName>): Faults {
  const swarm = seeded(seed, 'swarm')
  const random = seeded(seed, 'faults')
  const drawn = faultNames.filter(() => swarm.next() < 0.5)
  const enabled = new Set(drawn.filter((name) => only?.has(name) ?? true))
  const struck = new Map<FaultName, number>()
  let active = false
  const note = (name: FaultName) => void struck.set(name, (struck.get(name) ?? 0) + 1)
  return {
    enabled,
    random,
    struck,
    strikes(name) {
      if (!active || !enabled.has(name)) return false
      const does = random.next() < rates[name]
      if (does) note(name)
      return does
    },
    nextInMs(name) {
      if (!enabled.has(name)) return Infinity
      return integerBetween(random, 1, 2 * rates[name])
    },
    note,
    isOn: (name) => active && enabled.has(name),
    begin() {
      active = true
    },
    heal() {
      active = false
    },
  }
}
