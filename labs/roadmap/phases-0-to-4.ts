/** Phases 0 to 4: models, concurrency, persistence, messaging, idempotency. */
import type { RoadmapSection } from '../contract.ts'
import { concept, practice } from './entry.ts'

const models: RoadmapSection = {
  phase: 0,
  title: {
    en: 'Phase 0: foundations that do not depend on a language',
    es: 'Fase 0: fundamentos que no dependen del lenguaje',
  },
  entries: [
    concept(['Sistema = Entrada → Proceso → Estado → Salida', 'System = input → process → state → output'], {
      labs: ['effects'],
      code: ['kit/pipeline/pipeline.ts', 'kit/pipeline/decision.ts'],
      tests: ['kit/pipeline/pipeline.test.ts'],
      docs: ['docs/concepts/pipeline.md'],
    }),
    concept(['Estado: stateless vs stateful', 'State: stateless and stateful'], {
      labs: ['stateless-stateful'],
      code: ['kit/http/commands.ts', 'services/orders/tables.ts'],
      tests: ['server/spine.db.test.ts'],
    }),
    concept(
      [
        'Efectos secundarios: dinero, emails, inventario, cambios persistentes',
        'Side effects: money, mails, stock, persistent changes',
      ],
      {
        labs: ['effects'],
        code: ['kit/task/outcome.ts', 'services/payments/tasks.ts', 'services/orders/tasks.ts'],
        tests: ['kit/task/runner.test.ts'],
        docs: ['docs/concepts/tasks.md'],
      },
    ),
    concept(
      [
        'Determinismo: misma entrada → misma salida (ideal), vs efectos',
        'Determinism: same input → same output (the ideal), and effects',
      ],
      {
        labs: ['effects'],
        code: ['services/orders/decide.ts', 'kit/core/clock.ts', 'kit/core/prng.ts'],
        tests: ['services/orders/decide.property.test.ts', 'tools/tidy.test.ts'],
        docs: ['docs/decisions/0004-pure-deciders-over-batches.md'],
      },
    ),
    practice(
      [
        'Construye un mini servicio “Orders” que reciba pedidos y guarde estado',
        'Build a small Orders service that takes orders and keeps state',
      ],
      {
        code: ['projects/1-api-db/main.ts', 'services/orders/service.ts'],
        tests: ['services/orders/http.db.test.ts'],
        docs: ['docs/guides/project-1.md', 'docs/guides/build-on-it.md'],
      },
    ),
    practice(['Identifica dónde hay efectos secundarios', 'Find where the side effects are'], {
      labs: ['effects'],
      code: ['server/outside.ts'],
    }),
  ],
}

const concurrency: RoadmapSection = {
  phase: 1,
  title: { en: 'Phase 1: concurrency and parallelism', es: 'Fase 1: concurrencia y paralelismo' },
  entries: [
    concept(['Concurrencia vs paralelismo', 'Concurrency and parallelism'], {
      labs: ['concurrency-parallelism'],
      code: ['kit/consumer/poll.ts', 'kit/task/runner.ts'],
      tests: ['kit/pipeline/workers.db.test.ts'],
    }),
    concept(['Race conditions', 'Race conditions'], {
      labs: ['stock-counter'],
      code: ['services/inventory/decide.ts'],
      tests: ['server/races.db.test.ts'],
    }),
    concept(['Locks / mutex / semáforos', 'Locks, mutexes, semaphores'], {
      labs: ['stock-counter', 'deadlock'],
      code: ['kit/database/rows-postgres.ts', 'kit/pipeline/load.ts'],
      tests: ['kit/pipeline/load.test.ts'],
    }),
    concept(['Modelo de memoria (qué significa “data race”)', 'Memory model (what a “data race” is)'], {
      labs: ['data-race'],
    }),
    concept(['Comunicación por mensajes vs memoria compartida', 'Communication by messages and by shared memory'], {
      labs: ['message-passing'],
      code: ['kit/log/message.ts'],
      docs: ['docs/concepts/log.md'],
    }),
    concept(
      [
        'Backpressure (qué hacer cuando llega más de lo que puedes procesar)',
        'Backpressure (what to do when more arrives than you can process)',
      ],
      {
        labs: ['backpressure'],
        code: ['kit/pipeline/commands.ts', 'kit/http/shedding.ts'],
        tests: ['kit/pipeline/commands.test.ts', 'kit/http/shedding.test.ts'],
      },
    ),
    concept(['Work stealing / thread pools (concepto)', 'Work stealing, thread pools (the idea)'], {
      labs: ['work-stealing'],
      code: ['kit/consumer/next.ts', 'kit/consumer/postgres.ts'],
      tests: ['kit/pipeline/workers.db.test.ts'],
    }),
    concept(
      [
        'Cómo se ve por lenguaje: Node (event loop + async IO), Go (goroutines + channels, CSP), Rust (threads + ownership / Tokio)',
        'How it looks in each language: Node (event loop, async I/O), Go (goroutines, channels, CSP), Rust (threads, ownership, Tokio)',
      ],
      { labs: ['message-passing', 'concurrency-parallelism'], docs: ['docs/labs/message-passing.md'] },
    ),
    practice(
      [
        'Implementa un “contador de stock” con 100 requests concurrentes',
        'Implement a “stock counter” with 100 concurrent requests',
      ],
      { labs: ['stock-counter'], code: ['services/inventory/decide.ts'], tests: ['server/races.db.test.ts'] },
    ),
    practice(
      [
        'Provoca un race condition y luego arréglalo: con lock, con cola/worker (serializando)',
        'Provoke a race condition, then fix it: with a lock, with a queue and a worker (serialising)',
      ],
      { labs: ['stock-counter'], tests: ['labs/concurrency/concurrency.db.test.ts'] },
    ),
  ],
}

const persistence: RoadmapSection = {
  phase: 2,
  title: { en: 'Phase 2: persistence and consistency', es: 'Fase 2: persistencia y consistencia' },
  entries: [
    concept(['ACID (transacciones clásicas)', 'ACID (classic transactions)'], {
      labs: ['acid', 'transfer'],
      code: ['kit/database/transaction.ts', 'kit/database/durability.ts'],
      tests: ['kit/database/transaction.db.test.ts', 'kit/pipeline/crash.db.test.ts'],
    }),
    concept(
      [
        'Aislamiento: read committed / repeatable read / serializable (entender qué evita)',
        'Isolation: read committed, repeatable read, serializable (what each prevents)',
      ],
      { labs: ['isolation'], code: ['kit/database/transaction.ts'], tests: ['kit/pipeline/commit.db.test.ts'] },
    ),
    concept(['Optimistic vs pessimistic locking', 'Optimistic and pessimistic locking'], {
      labs: ['locking'],
      code: ['kit/core/precondition.ts', 'kit/http/etag.ts', 'kit/database/rows-postgres.ts'],
      tests: ['services/inventory/http.db.test.ts'],
    }),
    concept(
      [
        'Índices, unique constraints (herramienta clave de idempotencia)',
        'Indexes, unique constraints (the key tool of idempotency)',
      ],
      {
        labs: ['unique-payment'],
        code: ['kit/database/table.ts', 'services/payments/migrations/0001_payments.sql'],
        tests: ['kit/database/rows.db.test.ts', 'kit/database/plans.db.test.ts'],
      },
    ),
    concept(['Consistencia fuerte vs eventual', 'Strong and eventual consistency'], {
      labs: ['strong-eventual'],
      code: ['kit/http/consistency.ts', 'server/consistency.ts'],
      tests: ['server/read-side.db.test.ts'],
      docs: ['docs/guides/for-the-business.md'],
    }),
    concept(['CAP (no memorizar, entender decisiones)', 'CAP (not to memorise: to understand decisions)'], {
      labs: ['cap'],
      docs: ['docs/labs/cap.md'],
    }),
    practice(
      ['Haz una operación “transferir saldo” con transacción', 'Make a “transfer” operation with a transaction'],
      {
        labs: ['transfer'],
        code: ['services/payments/decide-accounts.ts', 'services/payments/ledger.ts'],
        tests: ['services/payments/http.db.test.ts', 'server/races.db.test.ts'],
      },
    ),
    practice(
      [
        'Luego hazlo “sin transacción” y observa inconsistencias',
        'Then make it “without a transaction” and watch the inconsistencies',
      ],
      { labs: ['transfer'], code: ['labs/persistence/transfer.naive.ts'] },
    ),
    practice(['Agrega un UNIQUE(payment_id) y prueba duplicados', 'Add a UNIQUE(payment_id) and try duplicates'], {
      labs: ['unique-payment'],
      code: ['services/payments/migrations/0001_payments.sql'],
    }),
  ],
}

const messaging: RoadmapSection = {
  phase: 3,
  title: { en: 'Phase 3: messaging, queues and workers', es: 'Fase 3: mensajería, colas y workers' },
  entries: [
    concept(['Producer / Broker / Consumer', 'Producer, broker, consumer'], {
      labs: ['accepted', 'ack-nack'],
      code: ['kit/log/port.ts', 'kit/consumer/port.ts', 'kit/task/port.ts'],
      tests: ['kit/log/log.db.test.ts', 'kit/consumer/consumer.db.test.ts'],
      docs: ['docs/concepts/log.md', 'docs/concepts/tasks.md'],
    }),
    concept(['Ack/Nack (confirmación de procesamiento)', 'Ack and nack (confirming that something was processed)'], {
      labs: ['ack-nack'],
      code: ['kit/task/outcome.ts', 'kit/task/postgres.ts'],
      tests: ['kit/task/task.db.test.ts'],
    }),
    concept(['At-least-once (lo normal) vs at-most-once', 'At least once (the usual) and at most once'], {
      labs: ['delivery'],
      code: ['kit/consumer/postgres.ts'],
      tests: ['kit/consumer/consumer.db.test.ts'],
    }),
    concept(['Retries (reintentos) y Dead Letter Queue (DLQ)', 'Retries and the dead letter queue (DLQ)'], {
      labs: ['retries-dlq'],
      code: ['kit/task/runner.ts', 'kit/policy/backoff.ts', 'kit/pipeline/dead-letters.ts'],
      tests: ['kit/task/runner.test.ts', 'kit/policy/backoff.test.ts'],
      docs: ['docs/runbooks/parked-and-dead.md'],
    }),
    concept(['Visibility timeout (SQS-style)', 'Visibility timeout (as in SQS)'], {
      labs: ['visibility-timeout'],
      code: ['kit/task/port.ts', 'kit/task/postgres.ts'],
      tests: ['kit/task/task.db.test.ts'],
    }),
    concept(['Consumer groups (Kafka)', 'Consumer groups (as in Kafka)'], {
      labs: ['consumer-groups'],
      code: ['kit/consumer/port.ts', 'kit/consumer/postgres.ts'],
      tests: ['kit/pipeline/workers.db.test.ts'],
    }),
    concept(['Ordering (por qué se rompe y cómo se preserva)', 'Ordering (why it breaks, how it is kept)'], {
      labs: ['ordering'],
      code: ['kit/core/hash.ts', 'kit/log/postgres.ts'],
      tests: ['kit/log/log.db.test.ts'],
      docs: ['docs/decisions/0002-dense-positions.md'],
    }),
    concept(['Poison messages (mensajes que siempre fallan)', 'Poison messages (messages that always fail)'], {
      labs: ['retries-dlq', 'ordering'],
      code: ['kit/pipeline/messages.ts', 'kit/pipeline/redrive.ts'],
      tests: ['kit/pipeline/messages.db.test.ts', 'kit/pipeline/redrive.db.test.ts', 'server/ops-parked.db.test.ts'],
      docs: ['docs/runbooks/parked-and-dead.md'],
    }),
    concept(
      [
        'Outbox pattern (para publicar eventos sin perderlos)',
        'Outbox pattern (to publish events without losing them)',
      ],
      {
        labs: ['outbox'],
        code: ['kit/log/postgres.ts', 'kit/pipeline/unit-of-work.ts'],
        tests: ['kit/pipeline/crash.db.test.ts'],
        docs: ['docs/concepts/log.md'],
      },
    ),
    practice(
      [
        'API recibe “crear orden” → encola job → responde 202',
        'The API takes “create order” → enqueues a job → answers 202',
      ],
      {
        labs: ['accepted'],
        code: ['projects/2-queue-worker/main.ts', 'services/orders/http.ts'],
        tests: ['services/orders/http.db.test.ts'],
        docs: ['docs/guides/project-2.md'],
      },
    ),
    practice(['Worker procesa y actualiza DB', 'A worker processes it and updates the database'], {
      labs: ['accepted'],
      code: ['projects/2-queue-worker/main.ts', 'kit/task/runner.ts'],
      docs: ['docs/guides/project-2.md'],
    }),
    practice(['Mete DLQ para fallos y reintentos', 'Add a DLQ for failures, and retries'], {
      labs: ['retries-dlq'],
      code: ['kit/pipeline/dead-letters.ts', 'server/ops-dead.ts'],
      tests: ['server/ops-refusals.db.test.ts'],
      docs: ['docs/guides/project-2.md'],
    }),
  ],
}

const idempotency: RoadmapSection = {
  phase: 4,
  title: { en: 'Phase 4: idempotency and deduplication', es: 'Fase 4: idempotencia y deduplicación' },
  entries: [
    concept(['Idempotency-Key (en HTTP y en jobs)', 'Idempotency-Key (in HTTP and in jobs)'], {
      labs: ['pay-twice', 'duplicate-messages'],
      code: ['kit/idempotency/postgres.ts', 'kit/http/keys.ts', 'kit/pipeline/derive.ts'],
      tests: ['kit/idempotency/keys.db.test.ts', 'kit/http/keys.test.ts'],
      docs: ['docs/concepts/idempotency.md'],
    }),
    concept(['Dedup por “fingerprint” del request', 'Deduplication by a “fingerprint” of the request'], {
      labs: ['fingerprint'],
      code: ['kit/http/keys.ts', 'kit/idempotency/port.ts'],
      tests: ['kit/http/keys.test.ts'],
    }),
    concept(
      [
        'Exactly-once (semántica) vs realidad (casi siempre “at least once + idempotencia”)',
        'Exactly once (the semantics) and reality (nearly always “at least once, and idempotency”)',
      ],
      { labs: ['exactly-once'], code: ['kit/consumer/postgres.ts'], tests: ['kit/pipeline/crash.db.test.ts'] },
    ),
    concept(['INSERT ... ON CONFLICT DO NOTHING', 'INSERT ... ON CONFLICT DO NOTHING'], {
      labs: ['unique-payment', 'duplicate-messages'],
      code: ['kit/idempotency/postgres.ts', 'kit/task/postgres.ts'],
      docs: ['docs/decisions/0008-keys-are-written-once.md'],
    }),
    concept(['UNIQUE constraints', 'UNIQUE constraints'], {
      labs: ['unique-payment'],
      code: ['kit/database/table.ts', 'services/payments/tables.ts'],
      tests: ['kit/database/rows.db.test.ts'],
    }),
    concept(['Tabla idempotency_keys con status/resultado', 'A table idempotency_keys with status and result'], {
      labs: ['pay-twice'],
      code: ['kit/database/migrations/0001_kit.sql', 'kit/idempotency/postgres.ts'],
      tests: ['kit/idempotency/keys.db.test.ts'],
      docs: ['docs/concepts/idempotency.md'],
    }),
    practice(
      [
        'Implementa endpoint POST /pay con header Idempotency-Key',
        'Implement POST /pay with an Idempotency-Key header',
      ],
      {
        labs: ['pay-twice'],
        code: ['services/payments/http-pay.ts'],
        tests: ['services/payments/http-pay.db.test.ts'],
        docs: ['docs/concepts/idempotency.md'],
      },
    ),
    practice(
      ['Simula timeout y reintento: que no se cobre dos veces', 'Simulate a timeout and a retry: never charged twice'],
      { labs: ['pay-twice'], tests: ['server/cards.db.test.ts'], docs: ['docs/concepts/idempotency.md'] },
    ),
    practice(
      [
        'Haz lo mismo en un worker consumiendo mensajes duplicados',
        'The same in a worker that consumes duplicate messages',
      ],
      { labs: ['duplicate-messages'], tests: ['kit/pipeline/consumer.db.test.ts'] },
    ),
  ],
}

export const phases0to4: readonly RoadmapSection[] = [models, concurrency, persistence, messaging, idempotency]
