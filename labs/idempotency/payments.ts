/** The product's payments service with its HTTP routes, on a database of a lab. Loaded only where it is started: it is large. */
import type { AddressInfo } from 'node:net'
import { systemIds } from '@cauce/kit/core/id-source'
import { isUnavailable } from '@cauce/kit/database/errors'
import { createAuthenticator } from '@cauce/kit/http/auth'
import { loadDevKey, signToken } from '@cauce/kit/http/dev-key'
import { createHttpServer } from '@cauce/kit/http/server'
import { providerPolicy } from '@cauce/kit/policy/call'
import { silentLogger } from '@cauce/kit/telemetry/logger'
import { createMetrics } from '@cauce/kit/telemetry/metrics'
import * as payments from '@cauce/payments/service'
import { startLabService } from '../harness/service.ts'
import type { Stage } from '../harness/stage.ts'

export interface PaymentsOptions {
  readonly url: string
  /** Where the development key is: whoever shares it accepts each other's tokens. */
  readonly directory: string
  /** Where the card processor is. Without one only wallets pay. */
  readonly processor?: string
  /** How long the tasks of a process that died wait for another one. Defaults to the kit's. */
  readonly leaseMs?: number
}

export interface Payments {
  readonly port: number
  /** What a request of somebody's says about them. */
  authorization(subject: string, role?: 'customer' | 'operator'): Promise<string>
}

const LIMITS = { name: 'card', ...payments.cardLimits }

export async function startPayments(
  stage: Pick<Stage, 'timers' | 'closing'>,
  { url, directory, processor, leaseMs }: PaymentsOptions,
): Promise<Payments> {
  const { timers, closing } = stage
  const card = processor && payments.httpCardProcessor({ url: processor, policy: providerPolicy(LIMITS) })
  const { running, readPool } = await startLabService(stage, {
    url,
    definition: payments.payments,
    migrations: payments.migrations,
    ...(card ? { effects: payments.effects(card) } : {}),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  })
  const key = await loadDevKey(directory)
  const app = await createHttpServer({
    logger: silentLogger(),
    metrics: createMetrics({ node: false }),
    version: 'lab',
    authenticator: createAuthenticator({ keys: [key.publicJwk] }),
    isUnavailable,
    docs: false,
  })
  closing(() => app.close())
  const webhookSecrets = () => [key.secretFor('card webhooks')]
  payments.paymentRoutes(app, { queue: running.commands, ids: systemIds, reads: readPool, timers, webhookSecrets })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    port: (app.server.address() as AddressInfo).port,
    authorization: async (subject, role = 'customer') => `Bearer ${await signToken(key, { subject, roles: [role] })}`,
  }
}
