/** Which bodies are read: JSON in UTF-8, not compressed. A route that verifies signatures reads its bytes itself. */

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseJson } from './body.ts'
import { unsupportedType } from './errors.ts'
import type { HttpServer } from './server-types.ts'

const JSON_TYPE = 'application/json'

/** Makes JSON the only body of the server. No bytes at all are no body: whether one is needed is for the route's schema. */
export function jsonBodies(app: HttpServer): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(JSON_TYPE, { parseAs: 'buffer' }, (request, bytes, done) => {
    checkEncoding(request)
    done(null, bytes.length === 0 ? undefined : parseJson(bytes))
  })
}

/**
 * In this scope `request.body` is the Buffer that was sent, of any media type: for webhooks, whose signature is over the bytes.
 * Read it with `parseJson` (body.ts) once it is verified. Its routes have `config: { rawBody: true }`.
 */
export function rawBodies(scope: Pick<FastifyInstance, 'removeAllContentTypeParsers' | 'addContentTypeParser'>): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes))
}

function checkEncoding(request: FastifyRequest): void {
  const { 'content-type': type = '', 'content-encoding': encoding } = request.raw.headers
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw unsupportedType('The body is compressed. Send it as it is')
  if (type === JSON_TYPE) return
  const charset = /;\s*charset="?([^";\s]+)/i.exec(type)?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw unsupportedType(`The body is in ${charset}. JSON is sent in UTF-8`)
}
