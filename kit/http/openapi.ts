/**
 * The OpenAPI 3.1 document, made from the routes themselves: the schemas that validate and serialise are the ones that are
 * published. A route says which problems it answers next to its answers, `...answers({ 202: Order }, problems)`; what follows
 * from its declaration (token, role, key, body) is added here and need not be repeated.
 *
 * Problems stay out of Fastify's own response schemas: they are written as bytes, and a serialiser compiled per route and status
 * would cost start-up time for nothing.
 */

import { STATUS_CODES } from 'node:http'
import swagger from '@fastify/swagger'
import type { FastifySchema, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import type { TSchema } from 'typebox'
import { PROBLEM_TYPE, ProblemDocument, kitProblems } from './problem.ts'
import type { KitProblem, ProblemSpec, Problems } from './problem.ts'
import { needsToken } from './routes.ts'
import type { HttpServer } from './server-types.ts'

interface DeclaredProblem extends ProblemSpec {
  readonly code: string
}

declare module 'fastify' {
  interface FastifySchema {
    /** The problems a route answers besides those that follow from its declaration. Made by `answers`. */
    problems?: readonly DeclaredProblem[]
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

/** Collects the routes added from now on, and serves the document. */
export async function openapiRoute(app: HttpServer, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Cauce',
        version,
        description:
          'Order fulfilment. Every refusal is a problem document (RFC 9457); every POST that changes something takes an Idempotency-Key.',
      },
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
      },
      tags: [],
    },
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => ({ schema: described(schema, route), url }),
    transformObject: (document) =>
      'openapiObject' in document ? withProblems(document.openapiObject) : document.swaggerObject,
  })
  let bytes: Buffer | undefined
  const open = { access: 'open', priority: 3 } as const
  app.get('/openapi.json', { config: open, schema: { hide: true } }, (_request, reply) => {
    bytes ??= Buffer.from(JSON.stringify(app.swagger()))
    return reply.header('cache-control', 'no-cache').type('application/json; charset=utf-8').send(bytes)
  })
}

/** The schema as published: with the security, the headers and the problems that follow from the route's declaration. */
function described(schema: FastifySchema | undefined, route: RouteOptions): FastifySchema {
  const { access = 'open', key = false } = route.config ?? {}
  const shown: FastifySchema = { ...schema }
  const implied: KitProblem[] = ['not-acceptable', 'too-busy', 'internal']
  if (access === 'signed') {
    implied.push('signature-invalid', 'database-away')
    shown.headers = Type.Object({
      'Cauce-Signature': Type.String({
        description: 't=<Unix seconds>,v1=<hex of HMAC-SHA256(secret, t + "." + body)>',
      }),
    })
  }
  if (needsToken(access)) {
    shown.security = [{ bearer: [] }]
    implied.push('unauthenticated', 'database-away')
  }
  if (typeof access !== 'string') implied.push('forbidden')
  if (key) {
    implied.push('key-missing', 'key-invalid', 'key-in-flight', 'key-reused')
    shown.headers = Type.Object({
      'Idempotency-Key': Type.String({
        minLength: 1,
        maxLength: 255,
        pattern: '^[\\x21-\\x7e]+$',
        description: 'New for each intent, the same for each retry of it',
      }),
    })
  }
  if (schema?.body) implied.push('malformed', 'invalid', 'payload-too-large', 'unsupported-media-type')
  if (schema?.querystring ?? schema?.params) implied.push('malformed')
  const declared = [...implied.map((code) => ({ code, ...kitProblems[code] })), ...(schema?.problems ?? [])]
  return { ...shown, 'x-problems': declared } as FastifySchema
}

interface Answer {
  description?: string
  content?: object
}
interface Operation {
  'x-problems'?: readonly DeclaredProblem[]
  responses?: Record<string, Answer>
}

function withProblems<Document extends { paths?: object }>(document: Document): Document {
  const operations = Object.values(document.paths ?? {}).flatMap((path: object) => Object.values(path) as Operation[])
  const content = { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } }
  for (const operation of operations) {
    const declared = operation['x-problems'] ?? []
    for (const [status, answer] of Object.entries(operation.responses ?? {})) {
      if (answer.description === 'Default Response') answer.description = STATUS_CODES[status] ?? 'The answer'
    }
    for (const status of new Set(declared.map((each) => each.status))) {
      const kinds = new Set(
        declared.filter((each) => each.status === status).map(({ code, title }) => `\`${code}\`: ${title}`),
      )
      operation.responses = { ...operation.responses, [status]: { description: [...kinds].join('; '), content } }
    }
    operation.responses = { ...operation.responses, default: { description: 'Another problem', content } }
    delete operation['x-problems']
  }
  return document
}
