/**
 * Versions over HTTP. A single resource has `ETag: "<version>"`; a reader that has it gets 304, a writer that changed its mind
 * about an older one gets 412. The versions of If-Match go into the command: only the decision, which holds the row, can compare.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IfVersions } from '../core/precondition.ts'

/** Sets the ETag of a single resource. True when the reader has this version already: answer 304 without a body. */
export function notModified(request: FastifyRequest, reply: FastifyReply, version: number): boolean {
  reply.header('etag', `"${version}"`).header('cache-control', 'private, no-cache')
  const have = request.raw.headers['if-none-match']
  if (have === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return false
  const match = have.trim() === '*' || tags(have).some((tag) => tag.replace(/^W\//, '') === `"${version}"`)
  if (match) reply.code(304)
  return match
}

/**
 * The versions If-Match allows: undefined when there is no condition, `any` for `*`, else a list to compare with. A tag we never
 * gave is left out, so an If-Match of only such tags allows no version at all.
 */
export function expectedVersions(request: FastifyRequest): IfVersions {
  const header = request.raw.headers['if-match']
  if (header === undefined) return undefined
  if (header.trim() === '*') return 'any'
  return tags(header).flatMap((tag) => {
    const version = /^"(\d{1,15})"$/.exec(tag)?.[1] // a weak tag never matches in If-Match
    return version === undefined ? [] : [Number(version)]
  })
}

function tags(header: string): string[] {
  return header.split(',').map((tag) => tag.trim())
}
