/**
 * From a request to a command to an answer. The answer is rendered inside the transaction and stored under the key as it is
 * sent, so a repeat gets the same bytes.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IdSource } from '../core/ids.ts'
import type { StoredReply } from '../idempotency/port.ts'
import { QueueFullError, type Command, type CommandAnswer, type CommandQueue } from '../pipeline/commands.ts'
import type { Decision } from '../pipeline/decision.ts'
import { TOKEN_HEADER, type TokenSource } from './consistency.ts'
import { commandKey } from './keys.ts'
import { passingProblem, problem, problemBytes, PROBLEM_TYPE, type Problems } from './problem.ts'

export interface CommandSpec {
  readonly type: string
  readonly data: unknown
  /** How long the key is remembered. Undefined for a command that takes no key, because repeating it changes nothing. */
  readonly keyTtlMs?: number
  /** The answer to an accepted decision, from its `reply`. Pure. */
  answer(reply: unknown): { readonly status: number; readonly headers?: Record<string, string>; readonly body: object }
}

export interface CommandPort {
  readonly queue: Pick<CommandQueue, 'submit'>
  readonly ids: IdSource
  /** How the service's rejections look. */
  readonly problems: Problems<string>
  /** Says how far the service's log has come. Without it answers carry no token. */
  readonly tokens?: TokenSource
}

/** An answer, and what to send to read it elsewhere. */
export type SubmittedAnswer = CommandAnswer & { readonly token?: string | undefined }

type Answered = Extract<CommandAnswer, { readonly kind: 'answered' }>

/** A route's own reply and request types, whatever its schemas: the answer is text already. */
type AnyReply = object

/** Puts a request's command through the pipeline and sends the answer. */
export async function runCommand(
  port: CommandPort,
  request: FastifyRequest,
  reply: AnyReply,
  spec: CommandSpec,
): Promise<void> {
  sendAnswer(reply, await submitCommand(port, request, spec))
}

/** The same without sending, for routes that look at the answer first. */
export async function submitCommand(
  port: CommandPort,
  request: FastifyRequest,
  spec: CommandSpec,
): Promise<SubmittedAnswer> {
  const command: Command = {
    id: port.ids.draw(),
    type: spec.type,
    data: spec.data,
    requestId: request.id,
    ...(spec.keyTtlMs === undefined ? {} : { key: keyOf(request, spec.keyTtlMs) }),
    render: (decision) => render(port.problems, spec, decision, request.id),
  }
  try {
    const answer = await port.queue.submit(command)
    return port.tokens && answer.kind === 'answered' ? { ...answer, token: await tokenOf(port.tokens, answer) } : answer
  } catch (error) {
    if (error instanceof QueueFullError)
      throw passingProblem('too-busy', 'More commands wait than can be served soon. Try again', 1)
    throw error
  }
}

/** A replayed answer was given long ago, by who knows what batch: all that the log holds now is at least that much. */
async function tokenOf(tokens: TokenSource, { heads, replayed }: Answered): Promise<string | undefined> {
  return replayed && heads.length === 0 ? tokens.now() : tokens.of(heads)
}

export function sendAnswer(reply: AnyReply, answer: SubmittedAnswer): void {
  if (answer.kind === 'reused') {
    throw problem('key-reused', 'This Idempotency-Key was used with another body. Send a new key for a new intent')
  }
  const { status, headers, body } = answer.reply
  const sent = reply as FastifyReply
  if (answer.token !== undefined) sent.header(TOKEN_HEADER, answer.token)
  if (answer.replayed) sent.header('idempotency-replayed', 'true')
  sent
    .code(status)
    .headers({ 'content-type': 'application/json; charset=utf-8', ...headers })
    .send(Buffer.from(body))
}

function keyOf(request: FastifyRequest, ttlMs: number) {
  const { scope, fingerprint } = commandKey(request, request.routeOptions.url ?? '')
  return { id: scope, fingerprint, ttlMs }
}

function render(problems: Problems<string>, spec: CommandSpec, decision: Decision, requestId: string): StoredReply {
  if (decision.kind === 'rejected') {
    const error = problems.error(decision)
    const headers = { ...error.headers, 'content-type': PROBLEM_TYPE }
    return { status: error.status, headers, body: problemBytes(error, requestId).toString() }
  }
  const { status, headers = {}, body } = spec.answer(decision.reply)
  return { status, headers, body: JSON.stringify(body) }
}
