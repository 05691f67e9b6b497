/**
 * The operations of the OpenAPI document made complete: every problem with its headers and an example, every parameter, body and
 * answer with an example, the headers that every request and answer may have.
 */

import { STATUS_CODES } from 'node:http'
import { exampleOf } from './openapi-examples.ts'
import { answerHeaderRefs, headersOfStatus, requestHeaderRefs } from './openapi-headers.ts'
import type { AnswerHeader, RequestHeader } from './openapi-headers.ts'
import { PROBLEM_TYPE } from './problem.ts'
import type { ProblemSpec } from './problem.ts'

export interface DeclaredProblem extends ProblemSpec {
  readonly code: string
}

/** What a route declares, until it is woven into the operation. */
export interface Declared {
  readonly problems: readonly DeclaredProblem[]
  readonly sends: readonly AnswerHeader[]
  readonly takes: readonly RequestHeader[]
}

/** Where `described` leaves it for `completeOperations`. */
export const DECLARED = 'x-declared'

interface Media {
  schema?: object
  example?: unknown
  examples?: object
}
interface Answer {
  description?: string
  headers?: object
  content?: Record<string, Media>
}
interface Operation {
  [DECLARED]?: Declared
  parameters?: (Media & { $ref?: string })[]
  requestBody?: { content: Record<string, Media> }
  responses?: Record<string, Answer | { $ref: string }>
}
interface Document {
  paths?: object
  components?: { schemas?: object; responses?: object; examples?: object }
}

const ref = (kind: string, name: string): { $ref: string } => ({ $ref: `#/components/${kind}/${name}` })

/** The answer of a status, when it may mean any of these problems. */
function problemAnswer(status: number, problems: readonly DeclaredProblem[]): Answer {
  const kinds = new Map(problems.map(({ code, title }) => [code, `\`${code}\`: ${title}`]))
  const examples = Object.fromEntries([...kinds.keys()].map((code) => [code, ref('examples', code)]))
  return {
    description: [...kinds.values()].join('; '),
    headers: answerHeaderRefs(['X-Request-Id', ...(headersOfStatus[status] ?? [])]),
    content: { [PROBLEM_TYPE]: { schema: ref('schemas', 'Problem'), examples } },
  }
}

function exampleOfProblem({ code, title, status, example: detail }: DeclaredProblem): object {
  const value = { type: `urn:cauce:problem:${code}`, title, status, detail, code, requestId: 'checkout-7' }
  return { summary: title, value }
}

/** The parts that operations refer to: an answer and an example for each problem of the kit. */
export function problemComponents(problems: readonly DeclaredProblem[]) {
  return {
    examples: Object.fromEntries(problems.map((each) => [each.code, exampleOfProblem(each)])),
    responses: Object.fromEntries(problems.map((each) => [each.code, problemAnswer(each.status, [each])])),
  }
}

/** Weaves in what the routes declared. Changes the document. */
export function completeOperations<Given extends Document>(document: Given): Given {
  const { paths = {}, components = {} } = document
  const { schemas = {} } = components
  const shared = components.responses as Record<string, object>
  const examples = components.examples as Record<string, object>
  const operations = Object.values(paths).flatMap((path: object) => Object.values(path) as Operation[])
  for (const operation of operations) {
    const { problems, sends, takes } = operation[DECLARED] ?? { problems: [], sends: [], takes: [] }
    delete operation[DECLARED]
    completeSuccess(operation, sends)
    for (const each of problems) examples[each.code] ??= exampleOfProblem(each)
    const answers: Record<string, Answer | { $ref: string }> = { ...operation.responses }
    for (const status of new Set(problems.map((each) => each.status))) {
      const same = problems.filter((each) => each.status === status)
      const codes = new Set(same.map(({ code }) => code))
      const [only = ''] = codes
      answers[status] = codes.size === 1 && only in shared ? ref('responses', only) : problemAnswer(status, same)
    }
    operation.responses = answers
    operation.parameters = [...(operation.parameters ?? []), ...requestHeaderRefs(['X-Request-Id', ...takes])]
    exemplify(operation, schemas as Record<string, unknown>)
  }
  return document
}

function completeSuccess(operation: Operation, sends: readonly AnswerHeader[]): void {
  for (const [status, answer] of Object.entries(operation.responses ?? {})) {
    if ('$ref' in answer) continue
    if (answer.description === 'Default Response') answer.description = STATUS_CODES[status] ?? 'The answer'
    answer.headers = { ...answer.headers, ...answerHeaderRefs(['X-Request-Id', ...sends]) }
  }
}

function exemplify({ parameters = [], requestBody, responses = {} }: Operation, schemas: Record<string, unknown>) {
  const contents = [requestBody, ...Object.values(responses)].flatMap((part) =>
    part && 'content' in part ? Object.values(part.content ?? {}) : [],
  )
  for (const media of [...parameters, ...contents]) {
    if (media.schema === undefined || media.example !== undefined || media.examples !== undefined) continue
    const example = exampleOf(media.schema, schemas)
    if (example !== undefined) media.example = example
  }
}
