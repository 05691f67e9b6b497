/** The card processor's HTTP surface: reads requests, asks the book, puts outcomes into words. */
import { hash } from 'node:crypto'
import { canonicalJson } from '@cauce/kit/core/codec'
import type { Faults } from '../faults.ts'
import { count, fields, integer, key, text } from '../fields.ts'
import { BadRequest, busy, problem, type Answer, type Call, type Handler, type Routes } from '../http.ts'
import type { Decision, Store } from '../storage/store.ts'
import type { Authorisation, AuthorisationAnswer, CaptureAnswer, Charges, RefundAnswer, VoidAnswer } from './charges.ts'
import type { ChargeRow, Moment } from './rows.ts'
import { isToken, losesFirstAnswer, tokens } from './tokens.ts'

export interface CardRoutesOptions {
  readonly charges: Charges
  readonly store: Store
  readonly faults: Faults
  /** What a decision made now goes by. */
  readonly moment: () => Moment
  /** Told the key of every charge that may have changed. */
  readonly onChange: (key: string) => void
}

export function cardRoutes({ charges, store, faults, moment, onChange }: CardRoutesOptions): Routes {
  async function change<T>(chargeKey: string, decide: (moment: Moment) => Decision<ChargeRow, T>): Promise<T> {
    const answer = await store.change(charges, chargeKey, () => decide(moment()))
    onChange(chargeKey)
    return answer
  }

  const steps: Record<string, (chargeKey: string, call: Call) => Promise<Answer>> = {
    async capture(chargeKey, { headers, body }) {
      ownKey(headers)
      const amount = amountIn(body)
      return answerCapture(await change(chargeKey, (now) => charges.decideCapture(chargeKey, amount, now)))
    },
    async void(chargeKey) {
      return answerVoid(await change(chargeKey, (now) => charges.decideVoid(chargeKey, now)))
    },
    async refunds(chargeKey, { headers, body }) {
      const refund = { key: ownKey(headers), amount: amountIn(body) }
      const answer = await change(chargeKey, (now) => charges.decideRefund(chargeKey, refund, now))
      return answerRefund(chargeKey, refund, answer)
    },
  }

  const step: Handler = (call) => {
    const slash = call.rest.lastIndexOf('/')
    const taken = steps[call.rest.slice(slash + 1)]
    if (slash < 0 || !taken) {
      return problem(404, 'not-found', 'A charge takes POST …/capture, …/void and …/refunds')
    }
    return taken(key(call.rest.slice(0, slash), 'The key of the charge'), call)
  }

  return {
    'POST /charges': faults.around('card', async (call) => {
      const asked = readAuthorisation(call)
      return answerAuthorisation(asked, await change(asked.key, (now) => charges.decideAuthorisation(asked, now)))
    }),
    'POST /charges/': faults.around('card', step),
    'GET /charges': ({ query }) => ({ status: 200, body: { items: listed(charges, query).map(view) } }),
    'GET /charges/': ({ rest }) => {
      const row = charges.get(rest)
      return row && row.status !== 'busy' ? { status: 200, body: view(row) } : notFound()
    },
  }
}

function listed(charges: Charges, query: URLSearchParams): ChargeRow[] {
  const offset = count(query, 'offset', 0)
  const limit = count(query, 'limit', charges.size)
  const paymentId = query.get('paymentId')
  const within = (rows: readonly ChargeRow[]) => rows.slice(offset, offset + limit)
  if (query.get('all') === '1') {
    const answered = [...charges.rows()].filter(({ status }) => status !== 'busy')
    return within(answered.filter(({ charge }) => paymentId === null || charge?.paymentId === paymentId))
  }
  return paymentId === null ? charges.page(offset, limit) : within(charges.ofPayment(paymentId))
}

function readAuthorisation({ headers, body }: Call): Authorisation {
  const from = fields(body, 'The body')
  const asked = {
    key: ownKey(headers),
    paymentId: text(from, 'paymentId'),
    amount: amountIn(from),
    currency: text(from, 'currency', 3),
    // 96 bits tell two bodies apart
    fingerprint: hash('sha256', canonicalJson(body), 'base64url').slice(0, 16),
  }
  if (!/^[A-Z]{3}$/.test(asked.currency)) throw new BadRequest(422, 'invalid', 'currency must be 3 capital letters')
  const token = text(from, 'token')
  if (!isToken(token))
    throw new BadRequest(422, 'unknown-token', `There is no such card; there are ${tokens.join(', ')}`)
  return { ...asked, token }
}

const ownKey = (headers: Call['headers']): string => key(headers['idempotency-key'], 'Idempotency-Key')

const amountIn = (body: unknown): number => integer(fields(body, 'The body'), 'amount', 1, Number.MAX_SAFE_INTEGER)

const replayed = (again: boolean): Record<string, string> => (again ? { 'idempotency-replayed': 'true' } : {})

const reused = (): Answer =>
  problem(422, 'key-reused', 'This key came with another body before; use a new key for a new request')

const notFound = (): Answer =>
  problem(404, 'not-found', 'No final answer was given under this key, which does not mean none will be')

function answerAuthorisation(asked: Authorisation, { outcome, again, row }: AuthorisationAnswer): Answer {
  const { key: chargeKey, paymentId, amount, currency, token } = asked
  const headers = replayed(again)
  switch (outcome) {
    case 'authorized': {
      const expiresAt = new Date(row.expiresAt).toISOString()
      const body = { key: chargeKey, paymentId, amount, currency, status: 'authorized', expiresAt, sequence: 1 }
      const answer = { status: 201, body, headers }
      return losesFirstAnswer(token) && !again ? { ...answer, lost: true } : answer
    }
    case 'declined':
      return { ...problem(402, 'declined', 'The bank of this card declined', { key: chargeKey, paymentId }), headers }
    case 'voided':
      return { ...problem(409, 'voided', 'This key was voided; nothing will be charged under it'), headers }
    case 'key-reused':
      return reused()
    case 'busy':
      return busy('busy', 'The card’s bank is busy; ask again with the same key')
  }
}

const whyNotCaptured = {
  expired: 'The authorisation has expired; nothing is held any more',
  voided: 'This charge was voided',
  declined: 'This charge was declined',
} as const

function answerCapture(answer: CaptureAnswer | undefined): Answer {
  if (!answer) return notFound()
  const { outcome, row } = answer
  if (outcome === 'captured') return { status: 200, body: view(row) }
  if (outcome === 'amount-differs') return problem(422, 'amount-differs', 'A capture is of the whole amount')
  return problem(409, outcome, whyNotCaptured[outcome])
}

function answerVoid({ outcome, row }: VoidAnswer): Answer {
  if (outcome === 'captured') return problem(409, 'captured', 'This charge was captured; refund it')
  return { status: 200, body: view(row) }
}

function answerRefund(
  chargeKey: string,
  { key: refundKey, amount }: { readonly key: string; readonly amount: number },
  answer: RefundAnswer | undefined,
): Answer {
  if (!answer) return notFound()
  const headers = replayed(answer.again)
  switch (answer.outcome) {
    case 'refunded':
      return { status: 201, body: { key: refundKey, chargeKey, amount }, headers }
    case 'exceeds-captured':
      return { ...problem(422, 'exceeds-captured', 'That is more than was captured and is not refunded yet'), headers }
    case 'key-reused':
      return reused()
  }
}

function view({ key: chargeKey, charge, status, requests, refunded, sequence, expiresAt }: ChargeRow): object {
  const { paymentId = null, amount = null, currency = null, token = null } = charge ?? {}
  const until = expiresAt === 0 ? null : new Date(expiresAt).toISOString()
  return { key: chargeKey, paymentId, amount, currency, token, status, requests, refunded, expiresAt: until, sequence }
}
