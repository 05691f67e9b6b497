/** What follows the phases: other languages, the three projects, the concepts nobody can do without. */
import type { RoadmapSection } from '../contract.ts'
import { concept, flag, project, toCome } from './entry.ts'

const languages: RoadmapSection = {
  title: { en: 'How this makes you “multi-language”', es: 'Cómo esto te vuelve “multi-lenguaje”' },
  entries: [
    concept(
      ['Concurrencia: cambia la sintaxis, no el problema', 'Concurrency: the syntax changes, the problem does not'],
      { labs: ['message-passing'], docs: ['docs/labs/message-passing.md'] },
    ),
    concept(
      [
        'Idempotencia: casi siempre DB + claves únicas + storage de key',
        'Idempotency: nearly always a database, unique keys and stored keys',
      ],
      { labs: ['pay-twice', 'unique-payment'], docs: ['docs/concepts/idempotency.md'] },
    ),
    concept(
      [
        'Consistencia: patrones (saga/outbox/CQRS), no frameworks',
        'Consistency: patterns (saga, outbox, CQRS), not frameworks',
      ],
      { labs: ['outbox'], docs: ['docs/concepts/saga.md', 'docs/concepts/log.md'] },
    ),
    concept(
      [
        'Resiliencia: timeouts/retries/circuit breakers siempre',
        'Resilience: timeouts, retries, circuit breakers, always',
      ],
      { labs: ['retries-dlq'], code: ['kit/policy/call.ts'] },
    ),
    concept(['Observabilidad: logs/métricas/traces siempre', 'Observability: logs, metrics, traces, always'], {
      code: ['kit/telemetry/logger.ts', 'kit/telemetry/metrics.ts'],
      ...toCome('traces', 'trazas'),
    }),
  ],
}

const projects: RoadmapSection = {
  title: { en: 'Recommended path', es: 'Ruta práctica recomendada' },
  entries: [
    project(
      [
        'Proyecto 1: “API + DB”. Orders + Payments (sin colas al inicio)',
        'Project 1: “API + DB”. Orders and Payments (no queues yet)',
      ],
      {
        code: ['projects/1-api-db/main.ts'],
        docs: ['docs/guides/project-1.md'],
      },
    ),
    project(
      [
        'Proyecto 2: “MQ + Worker”. Orders encola → worker procesa; retries + DLQ + idempotencia',
        'Project 2: “MQ + worker”. Orders enqueues → a worker processes; retries, DLQ, idempotency',
      ],
      { code: ['projects/2-queue-worker/main.ts'], docs: ['docs/guides/project-2.md'] },
    ),
    project(
      [
        'Proyecto 3: “Microservicios + Saga”. 3 servicios + eventos + compensación; observabilidad completa',
        'Project 3: “microservices + saga”. Services, events, compensation; complete observability',
      ],
      {
        code: ['server/wire.ts'],
        tests: ['server/spine.db.test.ts'],
        docs: ['docs/guides/project-3.md'],
        ...toCome('traces and dashboards', 'trazas y paneles'),
      },
    ),
  ],
}

const flags: RoadmapSection = {
  title: { en: 'The concepts to master, whatever else', es: 'Conceptos bandera que debes dominar sí o sí' },
  entries: [
    flag(['Concurrencia vs paralelismo', 'Concurrency and parallelism'], { labs: ['concurrency-parallelism'] }),
    flag(['Race conditions + locks + message passing', 'Race conditions, locks, message passing'], {
      labs: ['stock-counter', 'data-race', 'deadlock', 'message-passing'],
    }),
    flag(['ACID + aislamiento', 'ACID and isolation'], { labs: ['acid', 'transfer', 'isolation', 'locking'] }),
    flag(['Consistencia fuerte vs eventual + CAP', 'Strong and eventual consistency, CAP'], {
      labs: ['strong-eventual', 'cap'],
      docs: ['docs/guides/for-the-business.md'],
    }),
    flag(['Message queues: ack/retries/DLQ/ordering', 'Message queues: ack, retries, DLQ, ordering'], {
      labs: ['ack-nack', 'retries-dlq', 'ordering'],
      docs: ['docs/concepts/tasks.md', 'docs/concepts/log.md'],
    }),
    flag(['Idempotencia y deduplicación', 'Idempotency and deduplication'], {
      labs: ['pay-twice', 'duplicate-messages', 'fingerprint', 'exactly-once'],
      docs: ['docs/concepts/idempotency.md'],
    }),
    flag(['Outbox pattern', 'The outbox pattern'], { labs: ['outbox'], docs: ['docs/concepts/log.md'] }),
    flag(['Sagas', 'Sagas'], { docs: ['docs/concepts/saga.md'], ...toCome('lab saga', 'lab saga') }),
    flag(['CQRS (cuando sí, cuando no)', 'CQRS (when, and when not)'], {
      docs: ['docs/decisions/0010-views-have-generations.md'],
      ...toCome('lab cqrs', 'lab cqrs'),
    }),
    flag(['Resiliencia: timeouts, backoff, circuit breaker', 'Resilience: timeouts, backoff, circuit breaker'], {
      code: ['kit/policy/call.ts', 'kit/policy/backoff.ts'],
      ...toCome('the labs of phase 6', 'los labs de la fase 6'),
    }),
    flag(['Observabilidad: logs, métricas, tracing', 'Observability: logs, metrics, tracing'], {
      code: ['kit/telemetry/logger.ts', 'kit/telemetry/metrics.ts', 'server/timeline.ts'],
      ...toCome('tracing, the labs of phase 7', 'tracing, los labs de la fase 7'),
    }),
    flag(['SLI/SLO/SLA (para hablar con negocio)', 'SLI, SLO, SLA (to talk with the business)'], {
      docs: ['docs/guides/for-the-business.md'],
      ...toCome('lab slo', 'lab slo'),
    }),
  ],
}

export const path: readonly RoadmapSection[] = [languages, projects, flags]
