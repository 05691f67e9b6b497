/**
 * The Idempotency-Key of a request, and what it is compared by.
 *
 *   - scope: who used which key on which route. Two people, or two routes, may use the same key without meeting.
 *   - fingerprint: what was asked. The same scope with another fingerprint is another request under a used key (422).
 *
 * Both are SHA-256 in base64url, 43 characters: fixed length for the table, and a principal's name or a body is never stored
 * in it. Object members may come in any order, and numbers in any notation: the fingerprint is of the value, not of the bytes.
 */

import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { canonicalJson } from '../core/codec.ts'
import { problem } from './problem.ts'
import { principalOf } from './principal.ts'

export interface CommandKey {
  /** The key as sent. */
  readonly key: string
  readonly scope: string
  readonly fingerprint: string
}

const visible = /^[\x21-\x7e]{1,255}$/

/** The request's key, or a ProblemError (400) that says what is wrong with it. */
export function idempotencyKey(request: FastifyRequest): string {
  const key = request.raw.headers['idempotency-key']
  if (typeof key === 'string' && visible.test(key)) return key
  if (key === undefined) {
    throw problem(
      'key-missing',
      'Send an Idempotency-Key header: 1 to 255 visible characters, new for each intent, the same for each retry',
    )
  }
  const sent = request.raw.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'idempotency-key')
  if (sent.length > 1) throw problem('key-invalid', 'Idempotency-Key was sent more than once. Send one')
  if (key.length > 255) throw problem('key-invalid', `Idempotency-Key has ${key.length} characters. Send at most 255`)
  throw problem(
    'key-invalid',
    'Idempotency-Key is empty or has spaces or other invisible characters. Send 1 to 255 visible ones',
  )
}

/** The key of an authenticated request with its scope and fingerprint. `route` is the pattern, e.g. `/v1/orders`. */
export function commandKey(request: FastifyRequest, route: string): CommandKey {
  const key = idempotencyKey(request)
  const { method } = request
  return {
    key,
    scope: digest([principalOf(request).subject, method, route, key]),
    fingerprint: digest([method, route, request.params ?? null, request.body ?? null]),
  }
}

function digest(value: readonly unknown[]): string {
  return hash('sha256', canonicalJson(value), 'base64url')
}
