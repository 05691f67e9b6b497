/** Phases 5 to 8: distributed consistency, resilience, observability, security and platform. */
import type { RoadmapSection } from '../contract.ts'
import { concept, practice, toCome } from './entry.ts'

const labToCome = (...names: readonly string[]) => toCome(`lab ${names.join(', ')}`, `lab ${names.join(', ')}`)

const distributed: RoadmapSection = {
  phase: 5,
  title: {
    en: 'Phase 5: distributed consistency in microservices',
    es: 'Fase 5: consistencia distribuida en microservicios',
  },
  entries: [
    concept(
      ['Sagas (compensaciones) vs transacciones distribuidas', 'Sagas (compensations) and distributed transactions'],
      {
        code: ['services/orders/saga.ts', 'kit/saga/machine.ts'],
        tests: ['kit/saga/machine.test.ts', 'server/spine.db.test.ts'],
        docs: ['docs/concepts/saga.md', 'docs/guides/project-3.md'],
        ...labToCome('saga', 'two-phase-commit', 'saga-isolation'),
      },
    ),
    concept(['Orquestación vs coreografía', 'Orchestration and choreography'], {
      code: ['services/orders/saga.ts', 'server/wire.ts'],
      docs: ['docs/decisions/0005-orchestration.md'],
      ...labToCome('orchestration-choreography'),
    }),
    concept(['Event-driven architecture', 'Event-driven architecture'], {
      code: ['services/orders/contract.ts', 'services/payments/contract.ts', 'server/wire.ts'],
      tests: ['examples/loyalty/service.db.test.ts'],
      docs: ['docs/concepts/log.md', 'docs/guides/build-on-it.md'],
      ...toCome('NATS JetStream as a transport, lab broker', 'NATS JetStream como transporte, lab broker'),
    }),
    concept(
      [
        'Eventual consistency aplicada (y cómo explicarla al negocio)',
        'Eventual consistency applied (and how to explain it to the business)',
      ],
      {
        labs: ['strong-eventual'],
        code: ['kit/http/consistency.ts'],
        tests: ['server/read-side.db.test.ts'],
        docs: ['docs/guides/for-the-business.md'],
      },
    ),
    concept(['Diseño de “estado”: source of truth', 'Designing “state”: the source of truth'], {
      code: ['services/orders/tables.ts', 'services/orders/views/order-list.ts'],
      docs: ['docs/decisions/0001-state-tables-and-a-log.md'],
    }),
    concept(
      [
        'Lecturas desacopladas: CQRS (separar lectura/escritura)',
        'Decoupled reads: CQRS (separating reading from writing)',
      ],
      {
        code: ['kit/projection/runner.ts', 'services/orders/views/order-timeline.ts'],
        tests: ['kit/projection/projection.db.test.ts', 'kit/projection/rebuild.db.test.ts'],
        docs: ['docs/decisions/0010-views-have-generations.md'],
        ...labToCome('cqrs'),
      },
    ),
    practice(['Flujo: Order → Payment → Inventory → Shipping', 'The flow: Order → Payment → Inventory → Shipping'], {
      code: ['services/orders/saga.ts', 'server/wire.ts'],
      tests: ['server/spine.db.test.ts', 'server/cards.db.test.ts'],
      docs: ['docs/guides/project-3.md'],
    }),
    practice(
      [
        'Si shipping falla: compensación (refund o cancel order)',
        'If shipping fails: compensation (refund, or cancel the order)',
      ],
      {
        code: ['services/orders/saga.ts', 'services/payments/decide-refund.ts'],
        tests: ['services/orders/decide.property.test.ts', 'server/spine.db.test.ts'],
        docs: ['docs/concepts/saga.md'],
      },
    ),
    practice(
      [
        'Publica eventos: OrderCreated, PaymentAuthorized, etc.',
        'Publish events: OrderCreated, PaymentAuthorized and the others',
      ],
      {
        code: ['services/orders/contract.ts', 'services/payments/contract.ts'],
        tests: ['services/orders/decide.test.ts', 'services/payments/decide.test.ts'],
      },
    ),
  ],
}

const resilience: RoadmapSection = {
  phase: 6,
  title: { en: 'Phase 6: resilience', es: 'Fase 6: resiliencia' },
  entries: [
    concept(['Timeouts (siempre)', 'Timeouts (always)'], {
      code: ['kit/policy/call.ts', 'kit/policy/deadline.ts', 'kit/database/session.ts'],
      tests: ['kit/policy/call.test.ts', 'kit/client/provider.test.ts'],
      ...labToCome('timeouts'),
    }),
    concept(
      ['Retries con backoff + jitter (no reintentar a lo loco)', 'Retries with backoff and jitter (never like mad)'],
      {
        labs: ['retries-dlq'],
        code: ['kit/policy/backoff.ts', 'kit/policy/budget.ts'],
        tests: ['kit/policy/backoff.test.ts', 'kit/policy/budget.test.ts', 'kit/policy/policy.property.test.ts'],
        ...labToCome('retry-storm'),
      },
    ),
    concept(['Circuit breaker', 'Circuit breaker'], {
      code: ['kit/policy/call.ts'],
      tests: ['kit/policy/call.test.ts', 'kit/client/provider.test.ts'],
      ...labToCome('circuit-breaker'),
    }),
    concept(['Bulkheads (aislar recursos)', 'Bulkheads (isolating resources)'], {
      code: ['kit/policy/call.ts', 'kit/database/pool.ts'],
      tests: ['kit/policy/call.test.ts'],
      ...labToCome('bulkhead'),
    }),
    concept(['Rate limiting (por usuario/endpoint)', 'Rate limiting (per user and endpoint)'], {
      ...toCome('rate limits and lab rate-limit', 'límites y lab rate-limit'),
    }),
    concept(['Graceful degradation (modo “parcial”)', 'Graceful degradation (“partial” mode)'], {
      code: ['kit/http/health.ts', 'kit/http/errors.ts'],
      tests: ['server/embedded.db.test.ts', 'kit/http/health.test.ts'],
      ...labToCome('degradation'),
    }),
    concept(['Load shedding (rechazar para sobrevivir)', 'Load shedding (refusing in order to survive)'], {
      labs: ['backpressure'],
      code: ['kit/http/shedding.ts'],
      tests: ['kit/http/shedding.test.ts'],
      ...toCome('shedding by priority, lab load-shedding', 'rechazo por prioridad, lab load-shedding'),
    }),
    concept(['Chaos engineering (mentalidad)', 'Chaos engineering (the mentality)'], {
      code: ['cli/demo/crash/crash.ts', 'sandbox/faults.ts'],
      tests: ['cli/demo/crash/crash.db.test.ts', 'kit/pipeline/crash.db.test.ts'],
      ...labToCome('chaos'),
    }),
    practice(
      [
        'Simula fallos de DB/Redis y verifica: que el sistema no colapse, que degrade, que registre métricas',
        'Simulate failures of the database and Redis, and verify that the system does not collapse, degrades, and records metrics',
      ],
      {
        code: ['cli/demo/crash/kills.ts', 'kit/telemetry/metrics.ts'],
        tests: ['server/embedded.db.test.ts'],
        ...toCome('Redis, and lab degradation', 'Redis, y lab degradation'),
      },
    ),
  ],
}

const observability: RoadmapSection = {
  phase: 7,
  title: { en: 'Phase 7: observability', es: 'Fase 7: observabilidad' },
  entries: [
    concept(['Logs estructurados (JSON)', 'Structured logs (JSON)'], {
      code: ['kit/telemetry/logger.ts', 'kit/telemetry/events.ts'],
      tests: ['kit/telemetry/logger.test.ts', 'kit/telemetry/events.test.ts'],
    }),
    concept(['Métricas (latencia p95/p99, errores, colas)', 'Metrics (latency p95 and p99, errors, queues)'], {
      code: ['kit/telemetry/metrics.ts', 'server/observe.ts'],
      tests: ['kit/telemetry/metrics.test.ts'],
      ...labToCome('percentiles'),
    }),
    concept(['Tracing distribuido (correlation id / trace id)', 'Distributed tracing (correlation id, trace id)'], {
      code: ['kit/http/arrival.ts', 'kit/log/message.ts', 'server/timeline.ts'],
      tests: ['kit/http/request-log.test.ts', 'server/timeline.test.ts'],
      ...toCome('OpenTelemetry spans', 'spans de OpenTelemetry'),
    }),
    concept(
      ['SLI/SLO/SLA (lenguaje de negocio para confiabilidad)', 'SLI, SLO, SLA (the business language of reliability)'],
      { docs: ['docs/guides/for-the-business.md'], ...labToCome('slo') },
    ),
    concept(['Alertas por síntoma (no por ruido)', 'Alerts by symptom (not by noise)'], {
      docs: ['docs/runbooks/parked-and-dead.md'],
      ...toCome('alert rules, a runbook for each', 'reglas de alerta, un runbook para cada una'),
    }),
    practice(
      [
        'Implementa un request_id que viaje: HTTP → MQ → Worker → DB',
        'Implement a request_id that travels: HTTP → queue → worker → database',
      ],
      {
        code: ['kit/http/arrival.ts', 'kit/pipeline/derive.ts', 'kit/database/migrations/0001_kit.sql'],
        tests: ['server/timeline.test.ts', 'server/spine.db.test.ts'],
        ...labToCome('request-id'),
      },
    ),
    practice(['Mide p95 y tasa de errores', 'Measure p95 and the error rate'], {
      code: ['kit/telemetry/metrics.ts'],
      ...labToCome('percentiles'),
    }),
  ],
}

const security: RoadmapSection = {
  phase: 8,
  title: { en: 'Phase 8: security and platform', es: 'Fase 8: seguridad y plataforma' },
  entries: [
    concept(['AuthN/AuthZ (JWT, OAuth2)', 'Authentication and authorisation (JWT, OAuth2)'], {
      code: ['kit/http/auth.ts', 'kit/http/principal.ts', 'kit/http/routes.ts'],
      tests: ['kit/http/auth.test.ts', 'server/bad-callers.db.test.ts'],
      ...toCome('an OAuth2 issuer, lab tokens', 'un emisor OAuth2, lab tokens'),
    }),
    concept(['Secret management', 'Secret management'], {
      code: ['kit/http/dev-key.ts', 'kit/database/embedded/secret.ts', 'kit/telemetry/logger.ts'],
      tests: ['kit/http/dev-key.test.ts', 'kit/telemetry/logger.test.ts'],
      ...labToCome('secrets'),
    }),
    concept(['TLS', 'TLS'], {
      ...toCome('TLS to the API, the database and the broker', 'TLS hacia la API, la base y el broker'),
    }),
    concept(['Principio de mínimo privilegio', 'The principle of least privilege'], {
      ...toCome(
        'a database role for each service, lab least-privilege',
        'un rol de base de datos por servicio, lab least-privilege',
      ),
    }),
    concept(['Seguridad de APIs (rate limit, input validation)', 'API security (rate limits, input validation)'], {
      code: ['kit/http/validation.ts', 'kit/http/limits.ts', 'kit/http/body.ts'],
      tests: ['server/bad-input.db.test.ts', 'server/fuzz.db.test.ts'],
      ...toCome('rate limits', 'límites por usuario'),
    }),
    concept(['Supply chain (dependencias)', 'Supply chain (dependencies)'], {
      code: ['package-lock.json', 'knip.json'],
      docs: ['CONTRIBUTING.md'],
    }),
    concept(['Contenedores: Docker, k8s (conceptos)', 'Containers: Docker, Kubernetes (the ideas)'], {
      ...toCome('images and manifests', 'imágenes y manifiestos'),
    }),
    concept(['CI/CD: despliegues seguros, rollback', 'CI/CD: safe deployments, rollback'], {
      code: ['.ci/run', 'kit/http/drain.ts', 'kit/saga/machine.ts'],
      tests: ['kit/http/drain.test.ts'],
      ...toCome('rolling deployments, tried', 'despliegues graduales, probados'),
    }),
    practice(['Protege endpoints críticos', 'Protect critical endpoints'], {
      code: ['kit/http/routes.ts'],
      tests: ['server/bad-callers.db.test.ts'],
    }),
    practice(['Separa roles', 'Separate roles'], {
      code: ['kit/http/routes.ts', 'server/ops.ts'],
      tests: ['server/bad-callers.db.test.ts'],
      ...labToCome('roles'),
    }),
    practice(['Añade rate limiting', 'Add rate limiting'], { ...labToCome('rate-limit') }),
  ],
}

export const phases5to8: readonly RoadmapSection[] = [distributed, resilience, observability, security]
