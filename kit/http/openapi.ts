/**
 * The OpenAPI 3.1 document, made from the routes themselves: the schemas that validate and serialise are the ones that are
 * published. A route says which problems it answers next to its answers, `...answers({ 202: Order }, problems)`; what follows
 * from its declaration (token, role, key, body) is added here and need not be repeated.
 *
 * Problems stay out of Fastify's own response schemas: they are written as bytes, and a serialiser compiled per route and status
 * would cost start-up time for nothing.
 */

import swagger from '@fastify/swagger'
import type { FastifySchema, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import type { TSchema } from 'typebox'
import { MAX_DEPTH } from './body.ts'
import type { Limits } from './limits.ts'
import { headerComponents } from './openapi-headers.ts'
import type { AnswerHeader, RequestHeader } from './openapi-headers.ts'
import { DECLARED, completeOperations, problemComponents } from './openapi-operations.ts'
import type { Declared, DeclaredProblem } from './openapi-operations.ts'
import { ProblemDocument, kitProblems } from './problem.ts'
import type { KitProblem, ProblemSpec, Problems } from './problem.ts'
import { needsToken } from './routes.ts'
import type { HttpServer } from './server-types.ts'

declare module 'fastify' {
  interface FastifySchema {
    /** The problems a route answers besides those that follow from its declaration. Made by `answers`. */
    problems?: readonly DeclaredProblem[]
    /** Those of the kit that do not follow from it either. */
    refusals?: readonly KitProblem[]
    /** Headers of its successful answers. */
    sends?: readonly AnswerHeader[]
    /** Headers that it looks at. */
    takes?: readonly RequestHeader[]
  }
}

/** The answers of a route: schemas by status, and the codes of a service's problems it may answer (all, when none are named). */
export function answers<const Success extends Record<number, TSchema>, Codes extends string = never>(
  success: Success,
  problems?: Problems<Codes>,
  codes?: readonly NoInfer<Codes>[],
): { response: Success; problems: readonly DeclaredProblem[] } {
  const all = problems ? (Object.entries(problems.catalogue) as [Codes, ProblemSpec][]) : []
  const declared = all.filter(([code]) => !codes || codes.includes(code)).map(([code, spec]) => ({ code, ...spec }))
  return { response: success, problems: declared }
}

/** For `answers`: of a resource that is there as the reader has it. */
export const NotModified = Type.Null({ description: 'You have this version' })

/** Collects the routes added from now on, and serves the document. */
export async function openapiRoute(app: HttpServer, version: string, limits: Limits): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Cauce', version, description: describe(limits) },
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: '`cauce token` makes one for development',
          },
        },
        schemas: { Problem: ProblemDocument as object },
        ...(problemComponents(Object.entries(kitProblems).map(([code, spec]) => ({ code, ...spec }))) as object),
        ...(headerComponents as object),
      },
      tags: [],
    },
    convertConstToEnum: false,
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === 'string' ? $id : `def-${i}`),
    },
    transform: ({ schema, url, route }) => ({ schema: described(schema, route), url }),
    transformObject: (document) =>
      'openapiObject' in document ? completeOperations(document.openapiObject) : document.swaggerObject,
  })
  let bytes: Buffer | undefined
  const open = { access: 'open', priority: 3 } as const
  const schema = { tags: ['operations'], summary: 'This document', ...answers({ 200: Document }) }
  app.get('/openapi.json', { config: open, schema }, (_request, reply) => {
    bytes ??= Buffer.from(JSON.stringify(app.swagger()))
    reply.header('cache-control', 'no-cache').type('application/json; charset=utf-8')
    reply.send(bytes as never)
  })
}

const Document = Type.Object(
  {
    openapi: Type.String(),
    info: Type.Object({ title: Type.String(), version: Type.String() }),
    paths: Type.Object({}),
  },
  {
    description: 'An OpenAPI document',
    examples: [{ openapi: '3.1.0', info: { title: 'Cauce', version: '0.1.0' }, paths: {} }],
  },
)

const describe = (limits: Limits): string => `Order fulfilment.

Every refusal is a problem document (RFC 9457): \`code\` is for programs, \`detail\` says what was wrong and what to do. A POST takes an
\`Idempotency-Key\` unless its repeat changes nothing; a key is remembered for a day, for seven days where money moves. Unknown fields are refused, nothing is coerced.

What is true of every request:

| limit | beyond it |
| --- | --- |
| a body is JSON in UTF-8, not compressed, of at most ${limits.bodyBytes} bytes | 413, 415 |
| a body has at most ${MAX_DEPTH} levels, and text that can be stored: no U+0000, no half of a surrogate pair | 422 |
| path and query have at most ${limits.urlChars} characters | 414 |
| request line and headers have at most ${limits.headerBytes} bytes | 431 |
| the headers arrive within ${limits.headersTimeoutMs / 1000} s, the whole request within ${limits.requestTimeoutMs / 1000} s | 408 |
| a path that there is takes the methods that are shown, HEAD where there is GET, and OPTIONS | 405 with \`Allow\` |

An idle connection is kept for ${limits.keepAliveMs / 1000} s.`

/** What any request can be answered, whatever the route. */
const ofAnyRequest = [
  'malformed',
  'not-acceptable',
  'request-timeout',
  'uri-too-long',
  'expectation-failed',
  'headers-too-large',
  'internal',
  'too-busy',
] as const satisfies readonly KitProblem[]

/** The schema as published: with the security, the headers and the problems that follow from the route's declaration. */
function described(schema: FastifySchema | undefined, route: RouteOptions): FastifySchema {
  const { access = 'open', key = false } = route.config ?? {}
  const shown: FastifySchema = { ...schema }
  const implied: KitProblem[] = [...ofAnyRequest, ...(schema?.refusals ?? [])]
  const headers: Record<string, TSchema> = { ...(schema?.headers as { properties?: object } | undefined)?.properties }
  const sends = [...(schema?.sends ?? [])]
  const takes = [...(schema?.takes ?? [])]
  if (access === 'signed') {
    implied.push('signature-invalid', 'database-away')
    headers['Cauce-Signature'] = signatureHeader
  }
  if (needsToken(access)) {
    shown.security = [{ bearer: [] }]
    implied.push('unauthenticated', 'database-away')
  }
  if (typeof access !== 'string') implied.push('forbidden')
  if (key) {
    implied.push('key-missing', 'key-invalid', 'key-in-flight', 'key-reused')
    headers['Idempotency-Key'] = keyHeader
    sends.push('Idempotency-Replayed', 'Cauce-Token')
  }
  if ('cauce-token' in headers) implied.push('not-caught-up')
  // A body that is not looked at must still be one that can be read.
  if (route.method !== 'GET') implied.push('payload-too-large', 'invalid')
  if (route.method !== 'GET' && access !== 'signed') implied.push('unsupported-media-type')
  if (schema?.problems?.some(({ status }) => status === 412)) takes.push('If-Match')
  const { response } = (schema ?? {}) as { response?: object }
  if (response && 304 in response) takes.push('If-None-Match')
  if (Object.keys(headers).length > 0) shown.headers = Type.Object(headers)
  const kit = implied.map((code): DeclaredProblem => ({ code, ...kitProblems[code] }))
  const declared: Declared = { problems: [...kit, ...(schema?.problems ?? [])], sends, takes }
  return { ...shown, [DECLARED]: declared } as FastifySchema
}

const signatureHeader = Type.String({
  description: 't=<Unix seconds>,v1=<hex of HMAC-SHA256(secret, t + "." + body)>',
  examples: ['t=1767323045,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd'],
})

const keyHeader = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[\\x21-\\x7e]+$',
  description: 'New for each intent, the same for each retry of it',
  examples: ['cart-7-checkout-1'],
})
