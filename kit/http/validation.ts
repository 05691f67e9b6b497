/**
 * Validation of what a request carries against the route's schemas (TypeBox, checked by the Ajv inside Fastify).
 *
 *   - Nothing is coerced and nothing is removed: `"1"` is not 1, and a field nobody knows is an error, not dropped.
 *   - What is in the body is 422 (it was read, and makes no sense); what is in the path or the query is 400.
 *   - Everything in a query is text, so before validation a plain decimal integer is turned into a number where the schema
 *     wants one. `1e2`, `+5`, ` 5` and `0x10` stay texts, and are refused.
 *   - A body or query that would accept unknown fields is an error of the route, found when the server starts.
 */

import type { FastifyRequest, FastifySchema, FastifyServerOptions } from 'fastify'
import { ProblemError, problem } from './problem.ts'

/** Ajv's settings: strict about the schemas, and about the data. */
export const ajvOptions: NonNullable<FastifyServerOptions['ajv']> = {
  customOptions: {
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: true,
    allErrors: false, // the first complaint is enough, and listing all is work a client can ask for
    verbose: true, // a complaint about a union names its branches
    strict: true,
    allowUnionTypes: true,
  },
}

/** One complaint of Ajv, as Fastify passes it on. */
interface Complaint {
  readonly keyword: string
  readonly schemaPath: string
  readonly instancePath: string
  readonly params: Record<string, unknown>
  readonly message?: string
  readonly data?: unknown
  readonly parentSchema?: JsonSchema
}

interface ValidationError {
  readonly validation: readonly Complaint[]
  readonly validationContext?: string
}

export function isValidationError(error: unknown): error is ValidationError {
  return Array.isArray((error as { validation?: unknown } | null)?.validation)
}

const subjects: Readonly<Record<string, string>> = {
  querystring: 'The query is',
  params: 'The path is',
  headers: 'The headers are',
}

/** The problem a failed validation is. */
export function validationProblem(error: ValidationError, request: FastifyRequest): ProblemError {
  const where = error.validationContext ?? 'body'
  if (where !== 'body')
    return problem('malformed', `${subjects[where] ?? 'The request is'} not valid: ${explain(error.validation)}`)
  if (request.body === undefined) return problem('malformed', 'The body is missing. Send a JSON document')
  return problem('invalid', explain(error.validation))
}

/** The most telling of the complaints, in words, with the path of the value it is about. */
function explain(complaints: readonly Complaint[]): string {
  const union = complaints.at(-1)
  if (union && complaints.length > 1 && (union.keyword === 'anyOf' || union.keyword === 'oneOf'))
    return explainUnion(complaints, union)
  const [first] = complaints
  if (!first) return 'The body is not valid'
  const { keyword, instancePath, params } = first
  if (keyword === 'required') return `${instancePath}/${String(params['missingProperty'])} is required`
  if (keyword === 'additionalProperties')
    return `${instancePath}/${String(params['additionalProperty'])} is not a known field`
  const path = instancePath || 'The body'
  if (keyword === 'const') return `${path} must be ${JSON.stringify(params['allowedValue'])}`
  if (keyword === 'enum') return `${path} must be ${oneOf(params['allowedValues'])}`
  return `${path} ${first.message ?? 'is not valid'}`
}

/** Of a union, the branch that was meant is the one whose constants the value has: its complaint is the telling one. */
function explainUnion(complaints: readonly Complaint[], union: Complaint): string {
  const branches = union.parentSchema?.[union.keyword] as readonly JsonSchema[]
  const constants = branches.map(constantsOf)
  const names = [...new Set(constants.flatMap((branch) => branch.map(([name]) => name)))]
  const value = (union.data ?? {}) as Record<string, unknown>
  const meant = constants.findIndex(
    (branch) => branch.length > 0 && branch.every(([name, constant]) => value[name] === constant),
  )
  if (meant >= 0)
    return explain(complaints.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/${meant}/`)))
  const [name] = names
  if (name !== undefined && typeof union.data === 'object') {
    return `${union.instancePath}/${name} must be ${oneOf(constants.flat().flatMap(([of, constant]) => (of === name ? [constant] : [])))}`
  }
  if (branches.every((branch) => 'const' in branch))
    return `${union.instancePath || 'The body'} must be ${oneOf(branches.map((branch) => branch['const']))}`
  return explain(complaints.slice(0, 1))
}

/** The members of an object schema that have one possible value. */
function constantsOf(branch: JsonSchema): [name: string, constant: unknown][] {
  return Object.entries(propertiesOf(branch)).flatMap(([name, schema]) => {
    const constant = (schema as JsonSchema)['const']
    return constant === undefined ? [] : [[name, constant]]
  })
}

function oneOf(values: unknown): string {
  return (values as readonly unknown[]).map((value) => JSON.stringify(value)).join(' or ')
}

type JsonSchema = { readonly [key: string]: unknown }

/** The names of a query's fields that are integers. */
export function integerFields(querystring: unknown): string[] {
  return Object.entries(propertiesOf(querystring))
    .filter(([, schema]) => (schema as JsonSchema)['type'] === 'integer')
    .map(([name]) => name)
}

const plainInteger = /^(0|-?[1-9]\d{0,15})$/

/** Turns those fields of the query into numbers, where they are written as plain integers. */
export function readIntegers(query: unknown, names: readonly string[]): void {
  const fields = query as Record<string, unknown>
  for (const name of names) {
    const text = fields[name]
    if (typeof text === 'string' && plainInteger.test(text)) fields[name] = Number(text)
  }
}

/** Throws when the body or the query of a route would let an unknown field pass. */
export function assertClosed(schema: FastifySchema | undefined, route: string): void {
  for (const part of ['body', 'querystring'] as const) {
    const open = openObject(schema?.[part], '')
    if (open === undefined) continue
    throw new Error(
      `${route}: the ${part} accepts unknown fields at "${open || '/'}". Give that object { additionalProperties: false }`,
    )
  }
}

function openObject(schema: unknown, path: string): string | undefined {
  if (schema === null || typeof schema !== 'object') return undefined
  const node = schema as JsonSchema
  if (node['type'] === 'object' && node['additionalProperties'] === undefined) return path
  const inner = [
    ...Object.entries(propertiesOf(node)).map(([name, child]) => [`${path}/${name}`, child] as const),
    ...[node['items'], node['anyOf'], node['oneOf']].flat().map((child) => [path, child] as const),
  ]
  for (const [at, child] of inner) {
    const open = openObject(child, at)
    if (open !== undefined) return open
  }
  return undefined
}

function propertiesOf(schema: unknown): JsonSchema {
  return ((schema as JsonSchema | null | undefined)?.['properties'] ?? {}) as JsonSchema
}
