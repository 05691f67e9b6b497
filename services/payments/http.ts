/** Payments over HTTP. */
import type { HttpServer } from '@cauce/kit/http/server-types'
import { accountRoutes } from './http-accounts.ts'
import { payRoutes } from './http-pay.ts'
import { webhookRoute } from './http-webhook.ts'
import { paymentProblems, type PaymentRoutes } from './http-problems.ts'

export type { PaymentRoutes } from './http-problems.ts'

export function paymentRoutes(app: HttpServer, routes: PaymentRoutes): void {
  const port = { ...routes, problems: paymentProblems }
  accountRoutes(app, port, routes)
  payRoutes(app, port, routes)
  webhookRoute(app, port, routes.webhookSecrets)
}
