/**
 * Requests that are repeated until they are answered. What may be repeated: everything, because a POST has a key and a PUT says
 * how things shall be. So an answer that got lost with its connection, or a server that was killed and started again, costs
 * time and nothing else.
 *
 *   1. Connection errors, silence for `timeoutMs`, 429, 502, 503, 504 and "key in flight" are asked again, with the same key.
 *   2. Between two attempts: what Retry-After says, else full jitter up to 2 s.
 *   3. How long: while there is contact (contact.ts), but a single request no longer than three times the patience.
 *   4. Any other refusal is an answer: Refused, with its problem document.
 */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import type { Random } from '@cauce/kit/core/prng'
import { Contact, type ContactOptions } from './contact.ts'
import { isProblem, NotCauce, Refused, Unreachable } from './problem.ts'

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** From the root, with its query. */
  readonly path: string
  /** Undefined for what is open. */
  readonly token?: string
  readonly body?: unknown
  /** Idempotency-Key. */
  readonly key?: string
  /** Seconds the server may wait before it answers (`Prefer: wait`); less than what is waited for an answer. */
  readonly waitS?: number
}

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

export interface ClientOptions extends Pick<ContactOptions, 'onAway' | 'onBack'> {
  readonly url: string
  readonly fetch: Fetch
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  /** How long a server that answered before is waited for. */
  readonly patienceMs: number
  /** After how long without an answer a request is sent again. Defaults to 15,000. */
  readonly timeoutMs?: number
}

export interface ClientStats {
  /** Requests sent again. */
  retries: number
  /** Answers from the memory of a key. */
  replayed: number
}

export interface Client {
  readonly url: string
  readonly stats: Readonly<ClientStats>
  /** How long the server has been silent, 0 while it answers. */
  awayMs(): number
  /** The body of a 2xx. @throws Refused, Unreachable, NotCauce */
  call(call: Call): Promise<unknown>
}

type Attempt =
  | { readonly kind: 'answer'; readonly response: Response; readonly body: unknown }
  /** `sent`: it may have arrived. */
  | { readonly kind: 'failure'; readonly reason: string; readonly sent: boolean }

const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'])
const passing = new Set([429, 502, 503, 504])
const LONGEST_PAUSE_MS = 2_000

export function createClient(options: ClientOptions): Client {
  const { url, clock, timers, random, patienceMs } = options
  const contact = new Contact(options)
  const stats: ClientStats = { retries: 0, replayed: 0 }

  async function call(request: Call): Promise<unknown> {
    const begunMs = clock.monotonic()
    let sent = false
    for (let attempt = 1; ; attempt++) {
      const outcome = await attemptOnce(request, options)
      let reason: string
      if (outcome.kind === 'answer') {
        if (!isPassing(outcome)) {
          contact.answered()
          if (outcome.response.headers.get('idempotency-replayed') === 'true') stats.replayed += 1
          return bodyOf(outcome, url)
        }
        reason = `HTTP ${outcome.response.status}`
      } else {
        ;({ reason } = outcome)
        sent ||= outcome.sent
      }
      const hopeless = outcome.kind === 'failure' && !contact.everHeard && !sent
      const goOn = contact.failed(reason, begunMs) && clock.monotonic() - begunMs < 3 * patienceMs
      if (hopeless || !goOn) {
        if (outcome.kind === 'answer') return bodyOf(outcome, url) // It is there and says no: the better error.
        const silentMs = hopeless ? undefined : Math.round(clock.monotonic() - begunMs)
        throw new Unreachable({ url, reason, silentMs, key: sent ? request.key : undefined })
      }
      stats.retries += 1
      await timers.sleep(pauseMs(outcome, attempt, random))
    }
  }

  return { url, stats, call, awayMs: () => contact.awayMs }
}

async function attemptOnce(request: Call, options: ClientOptions): Promise<Attempt> {
  const { url, timers, timeoutMs = 15_000 } = options
  const { method, path, token, body, key, waitS } = request
  const silence = new AbortController()
  const cancel = timers.after(timeoutMs, () => silence.abort())
  try {
    const response = await options.fetch(url + path, {
      method,
      signal: silence.signal,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(waitS === undefined ? {} : { prefer: `wait=${waitS}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { kind: 'answer', response, body: parsed(await response.text()) }
  } catch (error) {
    if (silence.signal.aborted) return { kind: 'failure', reason: `silent for ${timeoutMs / 1000} s`, sent: true }
    const cause = (error as { cause?: { code?: unknown; message?: string } }).cause
    if (cause === undefined) throw error // Not the network: a request that cannot be made at all.
    const reason = typeof cause.code === 'string' ? cause.code : (cause.message ?? 'connection error')
    return { kind: 'failure', reason, sent: !neverSent.has(reason) && typeof cause.code === 'string' }
  } finally {
    cancel()
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Answers that will be others soon. */
function isPassing({ response, body }: Extract<Attempt, { kind: 'answer' }>): boolean {
  return passing.has(response.status) || (response.status === 409 && isProblem(body) && body.code === 'key-in-flight')
}

function bodyOf({ response, body }: Extract<Attempt, { kind: 'answer' }>, url: string): unknown {
  if (response.ok && body !== undefined) return body
  if (!isProblem(body)) throw new NotCauce(url, response.status)
  throw new Refused(body)
}

function pauseMs(outcome: Attempt, attempt: number, random: Random): number {
  const asked =
    outcome.kind === 'answer' ? Number(outcome.response.headers.get('retry-after') ?? Number.NaN) : Number.NaN
  if (Number.isFinite(asked) && asked >= 0) return Math.min(asked, 30) * 1000 + Math.floor(random.next() * 250)
  return Math.floor(random.next() * Math.min(LONGEST_PAUSE_MS, 100 * 2 ** Math.min(attempt, 10)))
}
