/**
 * The card processor's news over HTTP. Whoever signs it may tell it; what is told twice, late or of a payment nobody knows is
 * answered 200 all the same, or it would be told for ever.
 */
import { Type } from 'typebox'
import { systemClock } from '@cauce/kit/core/clock'
import { runCommand, type CommandPort } from '@cauce/kit/http/commands'
import { answers } from '@cauce/kit/http/openapi'
import { problem } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { webhookRoutes } from '@cauce/kit/http/webhooks'
import type { CardEvent } from './decide-card.ts'
import { paymentProblems } from './http-problems.ts'

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** More members may come: a processor adds to what it tells without asking. */
const News = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 200 }),
    type: Type.String({ maxLength: 100, examples: ['charge.captured'] }),
    sequence: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Grows with each change of the charge',
    }),
    charge: Type.Object(
      {
        key: Type.String({ minLength: 1, maxLength: 255, description: 'The key it was authorised under' }),
        paymentId: Type.String({ minLength: 1, maxLength: 200 }),
        status: Type.Enum(['authorized', 'captured', 'voided', 'refunded']),
        amount: Count,
        currency: Type.String({ maxLength: 3 }),
        refunded: Type.Optional(Count),
        expiresAt: Type.String({ format: 'date-time' }),
      },
      { additionalProperties: true },
    ),
  },
  {
    additionalProperties: true,
    examples: [
      {
        id: 'evt_71',
        type: 'charge.captured',
        sequence: 2,
        charge: {
          key: '5e1f3a0b9c8d7e6f5a4b3c2d1e0f9a8b',
          paymentId: 'pay_019ab3f0c1d27000a1b2c3d4e5f60718',
          status: 'captured',
          amount: 1999,
          currency: 'EUR',
          refunded: 0,
          expiresAt: '2026-01-09T03:04:05.678Z',
        },
      },
    ],
  },
)

/** A leap second is a date-time too, but no moment of ours. */
function momentOf(expiresAt: string): number {
  const ms = Date.parse(expiresAt)
  if (Number.isNaN(ms)) throw problem('invalid', '/charge/expiresAt is not a moment that can be counted')
  return ms
}

const Heard = Type.Object({ received: Type.Boolean() }, { additionalProperties: false })

/** `secrets`: any of them may have signed. */
export function webhookRoute(app: HttpServer, port: CommandPort, secrets: () => readonly string[]): void {
  const schema = {
    tags: ['payments'],
    summary: 'What the card processor tells',
    description: 'Signed. What comes twice or late is answered 200 and changes nothing.',
    body: News,
    sends: ['Cauce-Token'] as const,
    ...answers({ 200: Heard }, paymentProblems, []),
  }
  webhookRoutes(app, { secrets, clock: systemClock }, (scope) => {
    const config = { access: 'signed', priority: 0, rawBody: true } as const
    scope.post('/v1/webhooks/card', { config, schema }, (request, reply) => {
      const { sequence, charge } = request.body
      const { key: chargeKey, paymentId, status, expiresAt } = charge
      const data: CardEvent = { paymentId, chargeKey, sequence, status, expiresAt: momentOf(expiresAt) }
      const answer = () => ({ status: 200, body: { received: true } })
      return runCommand(port, request, reply, { type: 'CardEvent', data, answer })
    })
  })
}
