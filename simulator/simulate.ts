/**
 * One run: a seed in, a verdict out. First chaos, with every commit checked as it becomes visible; then everything heals, and
 * within a few virtual hours all must have come to its end.
 */
import { integerBetween } from '@cauce/kit/core/prng'
import { hours } from '@cauce/kit/core/clock'
import type { Check } from './checks/check.ts'
import { keysCheck } from './checks/keys.ts'
import { logCheck } from './checks/log.ts'
import { moneyCheck } from './checks/money.ts'
import { ordersCheck } from './checks/orders.ts'
import { stockCheck } from './checks/stock.ts'
import { tasksCheck } from './checks/tasks.ts'
import { Clients } from './client.ts'
import { faultsOf, type FaultName, type Faults } from './faults.ts'
import { redriveAll } from './operators.ts'
import type { Mutant } from './mutants.ts'
import type { CardNews } from './providers.ts'
import { Violation, type TraceLine } from './trace.ts'
import { play, prepare } from './workload.ts'
import { LANES, openWorld, reads, serviceNames, type World } from './world.ts'

export interface Plan {
  readonly seed: number
  /** Of the faults that the seed switches on, those that stay on. Defaults to all of them. */
  readonly only?: ReadonlySet<FaultName>
  /** How many things happen. Defaults to what the seed says. */
  readonly size?: number
  /** A planted bug. */
  readonly mutant?: Mutant | undefined
}

export interface Verdict {
  readonly seed: number
  readonly violation: Violation | undefined
  /** Of everything that happened, in order. */
  readonly hash: string
  readonly inputs: number
  readonly turns: number
  readonly virtualMs: number
  readonly size: number
  readonly enabled: ReadonlySet<FaultName>
  readonly struck: ReadonlyMap<FaultName, number>
  /** What was reached, with counts: decisions, edges of the saga. */
  readonly covered: ReadonlyMap<string, number>
  readonly timeline: readonly TraceLine[]
}

const CHAOS_MS = 120_000
const HEALED_WITHIN_MS = hours(6)
/** Turns between two looks whether all is quiet. */
const LOOK_EVERY = 200
const MOST_TURNS = 2_000_000

export async function simulate({ seed, only, mutant, size = sizeOf(seed) }: Plan): Promise<Verdict> {
  const faults = faultsOf(seed, only)
  const violations: Violation[] = []
  const violate = (invariant: string, message: string) => void violations.push(new Violation(invariant, message))
  const covered = new Map<string, number>()
  const cover = (what: string) => void covered.set(what, (covered.get(what) ?? 0) + 1)
  const checks: Check[] = []
  const inbox: CardNews[] = []
  const world = openWorld({
    seed,
    faults,
    violate,
    mutant,
    onCommit: (changes) => {
      for (const check of checks) check.committed?.(changes)
    },
    onNews: (news) => inbox.push(news),
  })
  const { database, providers, time } = world
  const given = { database, violate, services: serviceNames }
  checks.push(
    moneyCheck(given),
    stockCheck(given),
    logCheck({ ...given, lanes: LANES, reads }),
    tasksCheck(given),
    keysCheck(given),
    ordersCheck({ ...given, providers, onEdge: cover }),
  )
  const clients = new Clients(world, violate, mutant?.scope)
  const run = new Run(world, clients, faults, inbox, violations)
  await run.through({ seed, size, withinMs: spreadOf(seed) })
  if (violations.length === 0) {
    for (const check of checks) check.settled?.()
    for (const id of clients.accepted)
      if (!database.committed('orders.orders').has(id)) violate('I5', `Order ${id} was accepted and is gone`)
    for (const [what, count] of world.decided) covered.set(what, count)
  }
  return {
    seed,
    violation: violations[0],
    hash: world.trace.digest(),
    inputs: world.inputs.count,
    turns: time.turns,
    virtualMs: Math.floor(time.monotonic()),
    size,
    enabled: faults.enabled,
    struck: faults.struck,
    covered,
    timeline: world.trace.lines,
  }
}

/** Every third run is a rush: everything happens within two seconds, and meets. */
const spreadOf = (seed: number): number => (seed % 3 === 0 ? 2_000 : CHAOS_MS)

const sizeOf = (seed: number): number => 5 + ((Math.imul(seed, 0x9e3779b1) >>> 0) % 26)

class Run {
  readonly #world: World
  readonly #clients: Clients
  readonly #faults: Faults
  readonly #inbox: CardNews[]
  readonly #violations: readonly Violation[]
  #healed = false

  constructor(world: World, clients: Clients, faults: Faults, inbox: CardNews[], violations: readonly Violation[]) {
    this.#world = world
    this.#clients = clients
    this.#faults = faults
    this.#inbox = inbox
    this.#violations = violations
  }

  async through(workload: { seed: number; size: number; withinMs: number }): Promise<void> {
    const { servers, time } = this.#world
    for (let i = 0; i < 2; i++) this.#world.start()
    await this.#open()
    let prepared = false
    void prepare(this.#clients, workload.seed).then(() => {
      prepared = true
    })
    await this.#until(() => prepared)
    this.#faults.begin()
    this.#schedule()
    let played = false
    void play(this.#world, this.#clients, workload).then(() => {
      played = true
    })
    const end = time.monotonic() + CHAOS_MS
    await this.#until(() => time.monotonic() >= end)
    this.#faults.heal()
    this.#healed = true
    this.#world.trace.add('world', 'heals')
    while (servers().length < 2) this.#world.start()
    const last = time.monotonic() + HEALED_WITHIN_MS
    await this.#until(() => time.monotonic() >= last || (played && this.#quiet()))
  }

  /** A group's cursors are made once, before anybody reads. */
  async #open(): Promise<void> {
    const [server] = this.#world.servers()
    let opened = false
    const all = serviceNames.map((name) => server!.services[name].storage.groups.ensure(name, [...reads[name]], LANES))
    void Promise.all(all).then(() => {
      opened = true
    })
    await this.#until(() => opened)
    this.#deliverNews()
    this.#redrive()
  }

  async #until(reached: () => boolean): Promise<void> {
    const { time } = this.#world
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      if (this.#violations.length > 0) return
      if ((turn % LOOK_EVERY === 0 || !this.#healed) && reached()) return
      if (!(await time.step())) throw new Error('Nothing is due any more')
    }
  }

  #quiet(): boolean {
    const { database } = this.#world
    const rows = (table: string) => [...database.committed(table).values()] as Record<string, unknown>[]
    const isOpen = rows('orders.orders').some(({ status }) => status !== 'completed' && status !== 'cancelled')
    if (isOpen || this.#clients.waiting > 0 || this.#inbox.length > 0) return false
    return serviceNames.every((name) => {
      const ahead = rows(`${name}.cursors`).some(
        ({ source, lane, position }) =>
          database.committed(`${String(source)}.messages.${String(lane)}`).size !== position,
      )
      const busy = rows(`${name}.tasks`).some(({ state }) => state === 'open' || state === 'dead')
      return !ahead && !busy && database.committed(`${name}.parked`).size === 0
    })
  }

  /** Faults that come by themselves. */
  #schedule(): void {
    const { faults, time } = { faults: this.#faults, time: this.#world.time }
    const every = (name: FaultName, strike: () => void) => {
      const nextMs = faults.nextInMs(name)
      if (nextMs === Infinity) return
      time.after(nextMs, () => {
        if (this.#healed) return
        faults.note(name)
        strike()
        every(name, strike)
      })
    }
    const { random } = faults
    const some = () => this.#world.anyServer()?.process
    every('crashEveryMs', () => some()?.crash('kill -9'))
    every('pauseEveryMs', () => some()?.pause(integerBetween(random, 500, 25_000)))
    every('databaseDownEveryMs', () => this.#world.databaseGoes(integerBetween(random, 10, 8_000)))
    every('clockJumpEveryMs', () => this.#world.clockJumps(integerBetween(random, -60_000, 60_000)))
    every('providerBurstEveryMs', () => this.#world.providers.burst())
    const revive = () => {
      if (this.#healed) return
      if (this.#world.servers().length < 2) this.#world.start()
      time.after(integerBetween(random, 100, 4_000), revive)
    }
    revive()
  }

  #redrive(): void {
    const { time } = this.#world
    const nextMs = this.#healed ? 5_000 : Math.min(60_000, this.#faults.nextInMs('operatorEveryMs'))
    time.after(nextMs, () => {
      const server = this.#world.anyServer()
      if (this.#faults.isOn('operatorEveryMs')) this.#faults.note('operatorEveryMs')
      if (server) void redriveAll(this.#world, server)
      this.#redrive()
    })
  }

  /** The card processor's news: each is delivered until it is answered; perhaps twice, late, and in another order. */
  #deliverNews(): void {
    const { time } = this.#world
    const { random } = this.#faults
    const news = this.#inbox.splice(0)
    for (const one of news) {
      const disorder = this.#faults.strikes('webhookDisorder')
      const deliver = () =>
        void this.#clients.ask({ service: 'payments', type: 'CardEvent', data: one, principal: 'processor' })
      time.after(integerBetween(random, 1, disorder ? 30_000 : 50), deliver)
      if (disorder) time.after(integerBetween(random, 1, 60_000), deliver)
    }
    time.after(100, () => this.#deliverNews())
  }
}
