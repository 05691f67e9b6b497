/** Every lab there is, in the order in which they are learned. */
import type { LabList } from './contract.ts'
import { backpressure } from './concurrency/backpressure.ts'
import { concurrencyParallelism } from './concurrency/concurrency-parallelism.ts'
import { dataRace } from './concurrency/data-race.ts'
import { deadlock } from './concurrency/deadlock.ts'
import { messagePassing } from './concurrency/message-passing.ts'
import { stockCounter } from './concurrency/stock-counter.ts'
import { workStealing } from './concurrency/work-stealing.ts'
import type { Lab } from './harness/lab.ts'
import { duplicateMessages } from './idempotency/duplicate-messages.ts'
import { exactlyOnce } from './idempotency/exactly-once.ts'
import { fingerprint } from './idempotency/fingerprint.ts'
import { payTwice } from './idempotency/pay-twice.ts'
import { accepted } from './messaging/accepted.ts'
import { ackNack } from './messaging/ack-nack.ts'
import { consumerGroups } from './messaging/consumer-groups.ts'
import { delivery } from './messaging/delivery.ts'
import { ordering } from './messaging/ordering.ts'
import { outbox } from './messaging/outbox.ts'
import { retriesDlq } from './messaging/retries-dlq.ts'
import { visibilityTimeout } from './messaging/visibility-timeout.ts'
import { effects } from './models/effects.ts'
import { statelessStateful } from './models/stateless-stateful.ts'
import { acid } from './persistence/acid.ts'
import { cap } from './persistence/cap.ts'
import { isolation } from './persistence/isolation.ts'
import { locking } from './persistence/locking.ts'
import { strongEventual } from './persistence/strong-eventual.ts'
import { transfer } from './persistence/transfer.ts'
import { uniquePayment } from './persistence/unique-payment.ts'

export const phases: LabList['phases'] = [
  { number: 0, title: { en: 'Mental models', es: 'Modelos mentales' } },
  { number: 1, title: { en: 'Concurrency and parallelism', es: 'Concurrencia y paralelismo' } },
  { number: 2, title: { en: 'Persistence and consistency', es: 'Persistencia y consistencia' } },
  { number: 3, title: { en: 'Messaging, queues and workers', es: 'Mensajería, colas y workers' } },
  { number: 4, title: { en: 'Idempotency and deduplication', es: 'Idempotencia y deduplicación' } },
]

export const labs: readonly Lab[] = [
  effects,
  statelessStateful,
  stockCounter,
  dataRace,
  concurrencyParallelism,
  deadlock,
  backpressure,
  workStealing,
  messagePassing,
  transfer,
  isolation,
  locking,
  acid,
  uniquePayment,
  cap,
  strongEventual,
  accepted,
  ackNack,
  delivery,
  visibilityTimeout,
  retriesDlq,
  ordering,
  outbox,
  consumerGroups,
  payTwice,
  duplicateMessages,
  fingerprint,
  exactlyOnce,
]
