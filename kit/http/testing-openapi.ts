/**
 * For tests: what an OpenAPI document lacks, and whether what a server says is what its document promises. The document is taken
 * as it is served, from outside.
 */

import { Compile } from 'typebox/schema'
import { PROBLEM_TYPE } from './problem.ts'

/** The parts of a document that are looked at. */
export interface ApiDocument {
  readonly openapi: string
  readonly info: { readonly description?: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}
export interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly security?: readonly object[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, AnswerSpec>>
}
export interface Parameter extends Media {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
}
interface Media {
  readonly schema?: Schema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}
interface AnswerSpec {
  readonly description?: string
  readonly headers?: Readonly<Record<string, Media>>
  readonly content?: Readonly<Record<string, Media>>
}
type Schema = Readonly<Record<string, unknown>>

/** The document without references: each is replaced by what it refers to. */
export function resolved(document: unknown): ApiDocument {
  const lookUp = (pointer: string): unknown =>
    pointer
      .slice(2)
      .split('/')
      .reduce<unknown>(
        (node, name) => (node as Schema | undefined)?.[name.replaceAll('~1', '/').replaceAll('~0', '~')],
        document,
      )
  const visit = (node: unknown): unknown => {
    if (node === null || typeof node !== 'object') return node
    if (Array.isArray(node)) return node.map(visit)
    const { $ref } = node as Schema
    if (typeof $ref === 'string') {
      const target = lookUp($ref)
      if (target === undefined) throw new Error(`The document refers to ${$ref}, which is not in it`)
      return visit(target)
    }
    return Object.fromEntries(Object.entries(node).map(([name, member]) => [name, visit(member)]))
  }
  return visit(document) as ApiDocument
}

/** Each operation, with its name. */
export const operationsOf = ({ paths }: ApiDocument) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  )

const compiled = new WeakMap<object, ReturnType<typeof Compile>>()

/** What is wrong with a value; empty when it is what the schema says. */
export function faultsOf(schema: Schema, value: unknown): string[] {
  let validator = compiled.get(schema)
  if (!validator) compiled.set(schema, (validator = Compile(schema)))
  if (validator.Check(value)) return []
  const [, errors] = validator.Errors(value)
  return errors.map(({ instancePath, message }) => `${instancePath || 'it'} ${message}`)
}

/** What the document does not say, one line each. */
export function gapsIn(document: ApiDocument): string[] {
  const gaps: string[] = []
  for (const { name, operation } of operationsOf(document)) {
    const { summary, tags = [], parameters = [], requestBody, responses, security } = operation
    if (!summary) gaps.push(`${name}: no summary`)
    if (tags.length === 0) gaps.push(`${name}: no tag`)
    for (const parameter of parameters) {
      const where = `${name} ${parameter.in} ${parameter.name}`
      if (parameter.in !== 'path' && !parameter.description && !parameter.schema?.['enum'])
        gaps.push(`${where}: no description`)
      gaps.push(...gapsInMedia(where, parameter))
    }
    for (const [type, media] of Object.entries(requestBody?.content ?? {}))
      gaps.push(...gapsInMedia(`${name} ${type}`, media))
    if (!Object.keys(responses).some((status) => status.startsWith('2'))) gaps.push(`${name}: no success`)
    for (const [status, answer] of Object.entries(responses))
      gaps.push(...gapsInAnswer(`${name} ${status}`, status, answer))
    const statuses = ['400', '406', '408', '414', '431', '500', '503', ...(security ? ['401'] : [])]
    if (requestBody) statuses.push('413', '422')
    for (const status of statuses) if (!(status in responses)) gaps.push(`${name}: no ${status}`)
  }
  return gaps
}

function gapsInAnswer(
  where: string,
  status: string,
  { description, headers = {}, content = {} }: AnswerSpec,
): string[] {
  const gaps: string[] = []
  if (!description) gaps.push(`${where}: no description`)
  if (!('X-Request-Id' in headers)) gaps.push(`${where}: no X-Request-Id`)
  for (const [header, media] of Object.entries(headers)) gaps.push(...gapsInMedia(`${where} ${header}`, media))
  const types = Object.keys(content)
  if (types.length === 0 && status !== '204' && status !== '304') gaps.push(`${where}: no content`)
  for (const [type, media] of Object.entries(content)) gaps.push(...gapsInMedia(`${where} ${type}`, media))
  if (status < '400') return gaps
  if (types.join(', ') !== PROBLEM_TYPE) gaps.push(`${where}: is no problem document`)
  for (const [code, { value }] of Object.entries(content[PROBLEM_TYPE]?.examples ?? {})) {
    const { code: said, status: of, detail } = value as { code: string; status: number; detail?: string }
    if (said !== code || String(of) !== status || !detail) gaps.push(`${where}: the example of ${code} is not one`)
    if (!description?.includes(`\`${code}\``)) gaps.push(`${where}: the description does not name ${code}`)
  }
  return gaps
}

function gapsInMedia(where: string, { schema, example, examples }: Media): string[] {
  if (!schema) return [`${where}: no schema`]
  const given = examples ? Object.values(examples).map(({ value }) => value) : example === undefined ? [] : [example]
  if (given.length === 0) return [`${where}: no example`]
  return given.flatMap((value) => faultsOf(schema, value).map((fault) => `${where}: its example: ${fault}`))
}

/** An answer as it came. */
export interface Seen {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly status: number
  readonly headers: { get(name: string): string | null | undefined }
  readonly body: string
}

/** Gives a check of answers: what in an answer is not as the document says. */
export function conformanceTo(document: ApiDocument): (seen: Seen) => string[] {
  const paths = Object.entries(document.paths).map(([path, methods]) => {
    const pattern = path.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`).replaceAll(/\{[^}]+\}/g, '[^/]*')
    return { path, methods, pattern: new RegExp(`^${pattern}$`), open: (path.match(/\{/g) ?? []).length }
  })
  const problem = document.components['schemas']?.['Problem'] as Schema
  // The path that says most is the one that is meant: /parked/causes before /parked/{group}.
  const byPrecision = paths.toSorted((a, b) => a.open - b.open)

  return (seen) => {
    const [path = ''] = seen.url.split('?')
    const found = byPrecision.find(({ pattern }) => pattern.test(path))
    const method = seen.method === 'HEAD' ? 'get' : seen.method.toLowerCase()
    const operation = found?.methods[method]
    const where = `${seen.method} ${found?.path ?? path} ${seen.status}`
    const say = (faults: readonly string[]) => faults.map((fault) => `${where}: ${fault}`)
    if (!operation) {
      if (seen.method === 'OPTIONS' && seen.status === 204) return []
      // Of what the document does not know it says only this.
      const expected = found ? [400, 405, 408, 414, 417, 431] : [400, 404, 408, 414, 417, 431]
      if (!expected.includes(seen.status)) return say(['the document has no such operation'])
      return say(faultsInBody(seen, { [PROBLEM_TYPE]: { schema: problem } }))
    }
    const answer = operation.responses[String(seen.status)]
    if (!answer) return say([`not documented, there are ${Object.keys(operation.responses).join(', ')}: ${seen.body}`])
    return say([...faultsInHeaders(seen, answer), ...faultsInBody(seen, answer.content)])
  }
}

/** Those that every answer of the kind has; the others may be absent. */
const always = new Set(['X-Request-Id', 'ETag', 'Location', 'Retry-After', 'Allow', 'Accept'])

function faultsInHeaders({ headers, status }: Seen, { headers: promised = {} }: AnswerSpec): string[] {
  return Object.entries(promised).flatMap(([name, { schema = {} }]) => {
    const value = headers.get(name)
    if (value === null || value === undefined)
      return always.has(name) || (name === 'WWW-Authenticate' && status === 401) ? [`no ${name}`] : []
    return faultsOf(schema, value).map((fault) => `${name} is ${value}: ${fault}`)
  })
}

function faultsInBody({ method, headers, body, status }: Seen, content: AnswerSpec['content']): string[] {
  const [type = ''] = (headers.get('content-type') ?? '').split(';')
  if (method === 'HEAD') return body === '' ? [] : ['HEAD with a body']
  if (!content) return body === '' ? [] : [`a body, where none is promised: ${body}`]
  const media = content[type]
  if (!media?.schema) return [`is ${type}, not ${Object.keys(content).join(' or ')}`]
  if (type === 'text/event-stream') return eventsIn(body).flatMap((event) => faultsOf(contentOf(media.schema), event))
  if (!type.endsWith('json')) return faultsOf(media.schema, body)
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return [`is not JSON: ${body}`]
  }
  const faults = faultsOf(media.schema, value)
  if (type === PROBLEM_TYPE) faults.push(...faultsInProblem(value as Record<string, unknown>, status, headers, media))
  return faults.map((fault) => `${fault} in ${body.slice(0, 500)}`)
}

function faultsInProblem(
  problem: Record<string, unknown>,
  status: number,
  headers: Seen['headers'],
  { examples }: Media,
): string[] {
  const { code, status: said, requestId, detail, type } = problem
  const faults: string[] = []
  if (said !== status) faults.push(`says ${String(said)}`)
  if (requestId !== headers.get('x-request-id') && headers.get('idempotency-replayed') === null)
    faults.push('another requestId than X-Request-Id')
  if (type !== `urn:cauce:problem:${String(code)}`) faults.push('its type is not that of its code')
  if (typeof detail !== 'string' || detail.length < 10) faults.push('its detail says nothing')
  if (examples && !(String(code) in examples)) faults.push(`the code is not among ${Object.keys(examples).join(', ')}`)
  return faults
}

const contentOf = (schema: Schema | undefined): Schema => (schema?.['contentSchema'] ?? {}) as Schema

/** The data of whole events. */
const eventsIn = (text: string): unknown[] =>
  text
    .split('\n\n')
    .slice(0, -1)
    .flatMap((event) => /^data: (.*)$/m.exec(event)?.[1] ?? [])
    .map((data) => JSON.parse(data) as unknown)
