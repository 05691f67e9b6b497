/**
 * A simulated world: one database, some server processes that run every service over it, and the providers outside. The same
 * service definitions and the same wiring as the server's; what is the simulator's own is time, chance and what goes wrong.
 */
import { memoryGroups } from '@cauce/kit/consumer/memory'
import { hash32 } from '@cauce/kit/core/hash'
import type { IdSource } from '@cauce/kit/core/ids'
import { integerBetween, pick, seeded } from '@cauce/kit/core/prng'
import { MemoryDatabase, type MemoryChange } from '@cauce/kit/database/memory'
import { memoryLogReader } from '@cauce/kit/log/memory'
import { memoryTransactions } from '@cauce/kit/pipeline/memory'
import type { Context, Decider, Decision, Rows } from '@cauce/kit/pipeline/decision'
import { startService, type RunningService, type ServiceDefinition } from '@cauce/kit/pipeline/service'
import type { Effect } from '@cauce/kit/task/outcome'
import { memoryTaskQueue } from '@cauce/kit/task/memory'
import { effects as orderEffects } from '@cauce/orders/service'
import { effects as paymentEffects } from '@cauce/payments/service'
import { effects as shippingEffects } from '@cauce/shipping/service'
import { definitions, reads } from '@cauce/server/wire'
import type { Violate } from './checks/check.ts'
import { decidedTwice } from './checks/deterministic.ts'
import type { Mutant } from './mutants.ts'
import type { Faults } from './faults.ts'
import { SimProcess } from './process.ts'
import { Providers, type CardNews } from './providers.ts'
import { SimTime } from './time.ts'
import { Trace } from './trace.ts'

export type ServiceName = keyof typeof definitions
export const serviceNames = Object.keys(definitions) as readonly ServiceName[]
export { reads }

export const LANES = 4

export interface Server {
  readonly process: SimProcess
  readonly services: Readonly<Record<ServiceName, RunningService>>
}

export interface World {
  readonly time: SimTime
  readonly trace: Trace
  readonly faults: Faults
  readonly database: MemoryDatabase
  readonly providers: Providers
  readonly ids: IdSource
  /** Those that live. */
  servers(): readonly Server[]
  /** Starts one more process. */
  start(): Server
  /** One that lives, or undefined. */
  anyServer(): Server | undefined
  databaseGoes(ms: number): void
  clockJumps(ms: number): void
  /** Inputs that were decided and committed. */
  readonly inputs: { count: number }
  /** Kinds of decisions that were taken: `CreateOrder accepted`. */
  readonly decided: Map<string, number>
}

export interface WorldOptions {
  readonly seed: number
  readonly faults: Faults
  readonly violate: Violate
  readonly mutant: Mutant | undefined
  readonly onCommit: (changes: readonly MemoryChange[]) => void
  readonly onNews: (news: CardNews) => void
}

export function openWorld({ seed, faults, violate, mutant, onCommit, onNews }: WorldOptions): World {
  const time = new SimTime(seeded(seed, 'order'))
  const chance = seeded(seed, 'world')
  const trace = new Trace(() => Math.floor(time.monotonic()))
  let clockOffMs = 0
  let downUntil = 0
  const database = new MemoryDatabase({
    clock: { now: () => time.now() + clockOffMs, monotonic: () => time.monotonic() },
    timers: time,
    beforeStatement: () =>
      faults.strikes('statementDelay') ? time.sleep(integerBetween(faults.random, 1, 20)) : undefined,
    onCommit,
  })
  const providers = new Providers({ time, faults, trace, violate, onNews })
  const servers: Server[] = []
  const inputs = { count: 0 }
  const decided = new Map<string, number>()
  const databaseDown = () => time.monotonic() < downUntil
  let drawn = 0
  let started = 0

  const alive = () => servers.filter(({ process }) => process.alive)
  const wake = (source: string) => {
    for (const { services } of alive()) {
      for (const name of serviceNames) {
        if (!reads[name].includes(source as ServiceName) || faults.strikes('lostWake')) continue
        time.after(integerBetween(chance, 0, 3), () => services[name].consumerWake.notify())
      }
    }
  }

  function start(): Server {
    const name = `server-${++started}`
    const process = new SimProcess({
      name,
      time,
      faults,
      trace,
      skewMs: integerBetween(chance, -300_000, 300_000),
      databaseDown,
    })
    const effects: Partial<Record<ServiceName, readonly Effect[]>> = {
      orders: orderEffects(providers.mailer, { domain: 'simulated.example' }),
      payments: paymentEffects(providers.card),
      shipping: shippingEffects(providers.carrier),
    }
    const one = (service: ServiceName) => [service, startOne(process, service, effects[service] ?? [])] as const
    const server: Server = {
      process,
      services: Object.fromEntries(serviceNames.map(one)) as Server['services'],
    }
    trace.add(name, 'starts')
    servers.push(server)
    return server
  }

  function startOne(process: SimProcess, name: ServiceName, effects: readonly Effect[]): RunningService {
    const context = { service: name, database, clock: process.clock }
    const definition = mutant?.definition?.(definitions[name]) ?? definitions[name]
    const transactions = process.transactions(name, memoryTransactions(database, name, LANES))
    const queue = memoryTaskQueue(database, name)
    return startService({
      definition: poisoned(decidedTwice(definition, violate), faults),
      storage: {
        transactions: mutant?.transactions?.(transactions, context) ?? transactions,
        groups: process.reach(memoryGroups(database, name)),
        queue: process.reach(mutant?.queue?.(queue, context) ?? queue),
      },
      readers: reads[name].map((source) => process.reach(memoryLogReader(database, source, LANES))),
      effects: mutant?.effects?.(effects) ?? effects,
      clock: process.clock,
      timers: mutant?.timers?.(process.timers) ?? process.timers,
      random: seeded(seed, `${process.name} ${name}`),
      observer: {
        onCommit({ results }) {
          for (const result of results) {
            const { type } = result.input
            const what =
              result.kind === 'decided' && result.decision.kind === 'rejected'
                ? `${type} rejected: ${result.decision.code}`
                : `${type} ${result.kind}`
            decided.set(what, (decided.get(what) ?? 0) + 1)
            inputs.count += 1
          }
        },
        onForked: ({ source, lane, reason }) => violate('I5', `${name} halted ${source}/${lane}: ${reason}`),
      },
      onAppend: () => wake(name),
    })
  }

  return {
    time,
    trace,
    faults,
    database,
    providers,
    inputs,
    decided,
    ids: {
      draw: () =>
        (++drawn).toString(16).padStart(12, '0') +
        Math.floor(chance.next() * 2 ** 32)
          .toString(16)
          .padStart(20, '0'),
    },
    servers: alive,
    start,
    anyServer: () => (alive().length > 0 ? pick(chance, alive()) : undefined),
    databaseGoes(ms) {
      trace.add('database', `goes away for ${ms} ms`)
      downUntil = time.monotonic() + ms
      for (const { process } of alive()) process.disconnect()
    },
    clockJumps(ms) {
      trace.add('database', `its clock jumps by ${ms} ms`)
      clockOffMs += ms
    },
  }
}

/** Decisions about some orders throw while the fault is on, as a bug would make them: their keys park until they are redriven. */
function poisoned(definition: ServiceDefinition, faults: Faults): ServiceDefinition {
  const messages = definition.messages.map((decider): Decider => ({
    ...decider,
    decide(data: never, rows: Rows, context: Context): Decision {
      const { orderId } = data as { orderId?: string }
      if (orderId !== undefined && hash32(`${decider.type}${orderId}`) % 16 === 0 && faults.isOn('poison')) {
        faults.note('poison')
        throw new Error('poisoned by the simulator')
      }
      return decider.decide(data, rows, context)
    },
  }))
  return { ...definition, messages }
}
