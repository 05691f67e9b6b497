/**
 * The few lines of HTTP the sandbox needs, straight on node:http: a table of routes, JSON in, JSON out, errors as
 * `{ code, message }`. It plays a foreign service, so it has its own manners and not Cauce's.
 *
 * An input never makes a 5xx. A handler that throws something unknown is a bug: 500, and the error goes to stderr.
 * 503 is answered where nothing was stored and asking again with the same key is right.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { NotStored } from './storage/journal.ts'

export interface Call {
  /** What follows a route that ends in `/`, decoded; otherwise ''. */
  readonly rest: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** The parsed JSON of a POST or PUT. */
  readonly body: unknown
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Record<string, string>
  /** Set: the connection is closed without an answer, although the work was done. */
  readonly lost?: true
}

export type Handler = (call: Call) => Answer | Promise<Answer>

/** `'GET /path'` for one path, `'GET /path/'` for everything below it. */
export type Routes = Record<string, Handler>

/** Thrown by a handler for a request that is wrong. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const bodyLimitBytes = 64 * 1024
/** Longer than clients keep idle connections, so that it is the client who closes and no request meets a closing one. */
const keepAliveMs = 65_000
const utf8 = new TextDecoder('utf-8', { fatal: true })

export const problem = (status: number, code: string, message: string, more: object = {}): Answer => ({
  status,
  body: { code, message, ...more },
})

export const busy = (code: string, message: string): Answer => ({
  ...problem(503, code, message),
  headers: { 'retry-after': '1' },
})

export function createHttpServer(routes: Routes): Server {
  const server = createServer({ keepAlive: true, noDelay: true }, (request, response) => {
    void answer(routes, request)
      .catch(answerOfError)
      .then((result) => send(response, server.listening ? result : closing(result)))
  })
  server.keepAliveTimeout = keepAliveMs
  return server
}

async function answer(routes: Routes, request: IncomingMessage): Promise<Answer> {
  const { method = 'GET', url = '/', headers } = request
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1))
  const exact = routes[`${method} ${path}`]
  const branch = path.indexOf('/', 1) + 1
  const below = exact || branch === 0 ? undefined : routes[`${method} ${path.slice(0, branch)}`]
  const handler = exact ?? below
  if (!handler) return notFound(routes, path)
  const body = method === 'POST' || method === 'PUT' ? await readJson(request) : undefined
  return handler({ rest: exact ? '' : decoded(path.slice(branch)), query, headers, body })
}

function notFound(routes: Routes, path: string): Answer {
  const allowed = Object.keys(routes)
    .map((route) => route.split(' ') as [string, string])
    .filter(([, route]) => route === path || (route.length > 1 && route.endsWith('/') && path.startsWith(route)))
    .map(([method]) => method)
  if (allowed.length === 0) return problem(404, 'not-found', `There is nothing at ${path}; GET / lists what there is`)
  const allow = [...new Set(allowed)].join(', ')
  return { ...problem(405, 'method-not-allowed', `${path} answers ${allow}`), headers: { allow } }
}

function readJson(request: IncomingMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bodyLimitBytes) chunks.push(chunk)
    })
    request.on('error', reject)
    request.on('end', () => {
      if (bytes > bodyLimitBytes) {
        return reject(new BadRequest(413, 'too-large', `A body may have ${bodyLimitBytes} bytes`))
      }
      try {
        resolve(JSON.parse(utf8.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))))
      } catch {
        reject(new BadRequest(400, 'not-json', 'The body must be JSON in UTF-8'))
      }
    })
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new BadRequest(400, 'bad-path', `'${text}' is not percent-encoded UTF-8`)
  }
}

function answerOfError(error: unknown): Answer {
  if (error instanceof BadRequest) return problem(error.status, error.code, error.message)
  if (error instanceof NotStored) return busy('not-stored', error.message)
  if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') return { status: 400, body: null, lost: true }
  console.error(error)
  return problem(500, 'bug', 'The sandbox has a bug; its log has the details')
}

/** A server that drains answers and hangs up; else an idle connection would keep it waiting. */
const closing = (answer: Answer): Answer => ({ ...answer, headers: { ...answer.headers, connection: 'close' } })

function send(response: ServerResponse, { status, body, headers, lost }: Answer): void {
  if (lost) return void response.destroy()
  const text = JSON.stringify(body)
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
