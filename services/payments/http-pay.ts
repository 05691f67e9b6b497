/** Payments over HTTP: pay, read one, give back. */
import { Type } from 'typebox'
import { days, seconds } from '@cauce/kit/core/clock'
import { runCommand, sendAnswer, submitCommand, type CommandPort, type CommandSpec } from '@cauce/kit/http/commands'
import { TOKEN_HEADER, tokenHeader } from '@cauce/kit/http/consistency'
import { expectedVersions, notModified } from '@cauce/kit/http/etag'
import { answers, NotModified } from '@cauce/kit/http/openapi'
import { preferredWaitMs } from '@cauce/kit/http/prefer'
import { maySee, principalOf } from '@cauce/kit/http/principal'
import { problem } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { AskRefund, Pay, Payment, PaymentId, Refund } from './contract.ts'
import type { PayCommand } from './decide.ts'
import type { RefundCommand } from './decide-refund.ts'
import { paymentProblems, type PaymentRoutes } from './http-problems.ts'
import type { Refund as RefundRow } from './tables.ts'
import { findPayment, showPayment, showRefund, type AskedPayment } from './views.ts'

const tags = ['payments']
const OnePayment = Type.Object({ id: PaymentId }, { additionalProperties: false })
const LONGEST_WAIT_MS = seconds(20)

/** At once at first: most cards answer soon. */
const LOOK_MS = { first: 10, most: 500 }

export function payRoutes(app: HttpServer, port: CommandPort, routes: PaymentRoutes): void {
  payRoute(app, port, routes)
  refundRoute(app, port)
  readRoute(app, routes)
}

const underWay = ({ status }: Payment): boolean => status === 'pending' || status === 'authorized'

/** A payment as the answer to whoever asked for it. */
function answerOf(body: Payment) {
  const headers = { location: `/v1/payments/${body.id}`, etag: `"${body.version}"` }
  return { status: underWay(body) ? 202 : 201, headers, body }
}

function payRoute(app: HttpServer, port: CommandPort, routes: PaymentRoutes): void {
  const schema = {
    tags,
    summary: 'Pay',
    description:
      'Secures the amount and takes it: 201 when that is decided, 202 while the card processor is being asked. ' +
      'With `Prefer: wait=N` the answer waits up to N seconds (20 at most) for the decision. The same key never pays twice: ' +
      'it is answered with the same payment as it is now.',
    body: Pay,
    sends: ['Location', 'ETag', 'Preference-Applied'] as const,
    takes: ['Prefer'] as const,
    ...answers({ 201: Payment, 202: Payment }, paymentProblems, []),
  }
  const config = { access: ['customer'], key: true, priority: 0 } as const
  app.post('/v1/pay', { config, schema }, async (request, reply) => {
    const { method, token } = request.body
    if (method === 'card' && token === undefined)
      throw problem('invalid', '/token is required with method card: which card shall pay?')
    if (method === 'wallet' && token !== undefined)
      throw problem('invalid', '/token is for cards: a wallet has none. Leave it out')
    const data: PayCommand = { ...request.body, customer: principalOf(request).subject }
    const answer = (row: unknown) => answerOf(showPayment(row as AskedPayment))
    const spec: CommandSpec = { type: 'Pay', data, keyTtlMs: days(7), answer }
    const decided = await submitCommand(port, request, spec)
    if (decided.kind === 'reused' || decided.reply.status >= 300) return sendAnswer(reply, decided)
    const said = JSON.parse(decided.reply.body) as Payment
    const waitMs = Math.min(preferredWaitMs(request) ?? 0, LONGEST_WAIT_MS)
    // A repeat is told how the payment is by now.
    if (!decided.replayed && (waitMs === 0 || !underWay(said))) return sendAnswer(reply, decided)
    const enough = new AbortController()
    reply.raw.once('close', () => enough.abort())
    const signal = routes.draining ? AbortSignal.any([enough.signal, routes.draining]) : enough.signal
    const { status, headers, body } = answerOf(await whenDecided(routes, said, waitMs, signal))
    if (decided.token !== undefined) reply.header(TOKEN_HEADER, decided.token)
    if (waitMs > 0) reply.header('preference-applied', `wait=${Math.floor(waitMs / 1000)}`)
    if (decided.replayed) reply.header('idempotency-replayed', 'true')
    return reply
      .code(status as 201)
      .headers(headers)
      .send(body)
  })
}

/** The payment as it is, once it is decided or the time is over. Looks ever less often: most cards answer at once. */
async function whenDecided(
  routes: PaymentRoutes,
  said: Payment,
  waitMs: number,
  signal: AbortSignal,
): Promise<Payment> {
  const { reads, timers } = routes
  for (let waited = 0, pause = LOOK_MS.first; ; pause = Math.min(pause * 2, LOOK_MS.most)) {
    const row = await findPayment(reads, said.id)
    const now = row ? showPayment(row) : said
    if (!underWay(now) || waited >= waitMs || signal.aborted) return now
    const next = Math.min(pause, waitMs - waited)
    await timers.sleep(next, signal)
    waited += next
  }
}

function refundRoute(app: HttpServer, port: CommandPort): void {
  const schema = {
    tags,
    summary: 'Give back a captured payment, or a part of it',
    description: 'A wallet gets it at once (`refunded`); a card through its processor (`pending`, then `refunded`).',
    params: OnePayment,
    body: AskRefund,
    ...answers({ 201: Refund }, paymentProblems, [
      'not-found',
      'precondition-failed',
      'not-refundable',
      'currency-mismatch',
      'refund-too-large',
      'balance-too-large',
    ]),
  }
  const config = { access: ['operator'], key: true, priority: 0 } as const
  app.post('/v1/payments/:id/refund', { config, schema }, (request, reply) => {
    const ifVersions = expectedVersions(request)
    const paymentId = request.params.id
    const data: RefundCommand = { ...request.body, paymentId, ...(ifVersions === undefined ? {} : { ifVersions }) }
    const answer = (row: unknown) => ({ status: 201, body: showRefund(row as RefundRow) })
    return runCommand(port, request, reply, { type: 'RefundPayment', data, keyTtlMs: days(7), answer })
  })
}

function readRoute(app: HttpServer, { reads, caughtUp }: PaymentRoutes): void {
  const schema = {
    tags,
    summary: 'One payment',
    params: OnePayment,
    headers: tokenHeader,
    sends: ['ETag'] as const,
    ...answers({ 200: Payment, 304: NotModified }, paymentProblems, ['not-found']),
  }
  app.get('/v1/payments/:id', { config: { access: 'any' }, schema }, async (request, reply) => {
    const { id } = request.params
    await caughtUp?.(request)
    const row = await findPayment(reads, id)
    if (!row || !maySee(principalOf(request), row.customer))
      throw problem('not-found', `There is no payment ${id} that you may see`)
    if (notModified(request, reply, row.version)) return reply.send(undefined as never)
    return showPayment(row)
  })
}
