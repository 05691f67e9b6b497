/** Every lab there is, in the order in which they are learned. */
import { stockCounter } from './concurrency/stock-counter.ts'
import type { Lab } from './harness/lab.ts'
import type { PhaseNumber, Text } from './harness/vocabulary.ts'
import { transfer } from './persistence/transfer.ts'

export interface Phase {
  readonly number: PhaseNumber
  readonly title: Text
}

export const phases: readonly Phase[] = [
  { number: 0, title: { en: 'Mental models', es: 'Modelos mentales' } },
  { number: 1, title: { en: 'Concurrency and parallelism', es: 'Concurrencia y paralelismo' } },
  { number: 2, title: { en: 'Persistence and consistency', es: 'Persistencia y consistencia' } },
  { number: 3, title: { en: 'Messaging, queues and workers', es: 'Mensajería, colas y workers' } },
  { number: 4, title: { en: 'Idempotency and deduplication', es: 'Idempotencia y deduplicación' } },
]

export const labs: readonly Lab[] = [stockCounter, transfer]
