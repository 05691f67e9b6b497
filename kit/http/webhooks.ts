/**
 * Webhooks of a provider: who calls is known by a signature over the bytes, not by a token.
 *
 *   Cauce-Signature: t=<Unix seconds>,v1=<hex of HMAC-SHA256(secret, t + "." + body)>
 *
 * W1. Nothing is parsed and nothing is looked up before the signature is right: what is unsigned, stale or altered is 401.
 * W2. The signature covers the time, so an old call cannot be sent again later than `toleranceMs` (and until then the event's
 *     sequence decides, which is for the receiver).
 * W3. Several secrets may be valid at a time, and several `v1` may be sent: that is how a secret is changed on either side.
 * W4. Signatures are compared in constant time.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { minutes, type Clock } from '../core/clock.ts'
import { parseJson } from './body.ts'
import { rawBodies } from './content.ts'
import { problem, type ProblemError } from './problem.ts'
import { VERIFIES_SIGNATURES } from './routes.ts'
import type { HttpServer } from './server-types.ts'

export const SIGNATURE_HEADER = 'cauce-signature'
export const TOLERANCE_MS = minutes(5)

/** The value of the header for a body that is sent now. */
export function signature(secret: string, timestampSeconds: number, body: Uint8Array | string): string {
  return `t=${timestampSeconds},v1=${macOf(secret, String(timestampSeconds), body).toString('hex')}`
}

export type Verdict = 'ok' | 'unsigned' | 'stale' | 'altered'

export interface Signed {
  /** Any of them may have made the signature. */
  readonly secrets: readonly string[]
  readonly header: string | undefined
  /** The bytes as they were sent. */
  readonly body: Uint8Array
  /** In milliseconds. */
  readonly now: number
  /** How far the signature's time may be from ours, either way. Defaults to 5 minutes. */
  readonly toleranceMs?: number
}

export function verifySignature({ secrets, header, body, now, toleranceMs = TOLERANCE_MS }: Signed): Verdict {
  const claimed = readHeader(header)
  if (!claimed) return 'unsigned'
  const { time, macs } = claimed
  const genuine = secrets.some((secret) => {
    const expected = macOf(secret, time, body)
    return macs.some((mac) => timingSafeEqual(mac, expected))
  })
  if (!genuine) return 'altered'
  return Math.abs(now - Number(time) * 1000) <= toleranceMs ? 'ok' : 'stale'
}

export interface WebhookOptions {
  readonly secrets: () => readonly string[]
  readonly clock: Clock
  /** Defaults to 5 minutes. */
  readonly toleranceMs?: number
}

/**
 * Routes with `access: 'signed'`: inside, a request reaches validation when its signature is right, and its `body` is then the
 * parsed JSON, whatever its media type. The server must be awaited (`ready`, `listen`) before they are there.
 */
export function webhookRoutes(app: HttpServer, options: WebhookOptions, add: (scope: HttpServer) => void): void {
  void app.register((scope, _options, done) => {
    rawBodies(scope)
    scope.decorate(VERIFIES_SIGNATURES, true)
    scope.addHook('preValidation', (request, _reply, next) => {
      request.body = verifiedBody(request, options)
      next()
    })
    add(scope)
    done()
  })
}

function verifiedBody(request: FastifyRequest, { secrets, clock, ...rest }: WebhookOptions): unknown {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const header = request.raw.headers[SIGNATURE_HEADER]
  const single = typeof header === 'string' ? header : undefined
  const verdict = verifySignature({ secrets: secrets(), header: single, body, now: clock.now(), ...rest })
  if (verdict !== 'ok') throw refusals[verdict]()
  return parseJson(body)
}

const refused = (why: string) => (): ProblemError =>
  problem('signature-invalid', why, { 'www-authenticate': 'Cauce-Signature realm="cauce"' })

const refusals = {
  unsigned: refused('Send Cauce-Signature: t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body" in hex>'),
  stale: refused('The signature is too old, or ahead of our clock. Sign the call anew each time it is sent'),
  altered: refused('The signature is not of this body under a secret known here'),
} as const

const MOST_SIGNATURES = 5

/** The time as it was written, for that is what was signed, and the signatures. */
function readHeader(header: string | undefined): { time: string; macs: readonly Buffer[] } | undefined {
  const parts = (header ?? '').split(',').map((part) => part.trim())
  const times = parts.flatMap((part) => /^t=(\d{1,12})$/.exec(part)?.[1] ?? [])
  const macs = parts.flatMap((part) => /^v1=([0-9a-f]{64})$/i.exec(part)?.[1] ?? [])
  const [time] = times
  if (time === undefined || times.length > 1 || macs.length === 0 || macs.length > MOST_SIGNATURES) return undefined
  return { time, macs: macs.map((mac) => Buffer.from(mac, 'hex')) }
}

function macOf(secret: string, time: string, body: Uint8Array | string): Buffer {
  return createHmac('sha256', secret).update(`${time}.`).update(body).digest()
}
