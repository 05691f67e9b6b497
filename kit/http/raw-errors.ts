/**
 * Errors before there is a request: what Node's parser refuses, and what arrives too slowly. There is no reply object, so the
 * answer is written to the socket: the same problem document, then the end of the connection, because what follows on it cannot
 * be told apart from the rest of the broken request.
 */

import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Timers } from '../core/clock.ts'
import type { IdSource } from '../core/ids.ts'
import { PROBLEM_TYPE, problem, problemBytes } from './problem.ts'
import type { ProblemError } from './problem.ts'

interface ClientError extends Error {
  readonly code?: string
  readonly rawPacket?: unknown
}

/** How long a client may still send before the connection is cut. Cut at once, the reset could overtake the answer. */
const GRACE_MS = 1_000
const answered = new WeakSet<Socket>()

/** Answers a `clientError` of the server, unless the client has gone or an answer has begun. */
export function answerClientError(error: ClientError, socket: Socket, ids: IdSource, timers: Timers): void {
  if (answered.has(socket)) return // the rest of the same broken request
  const { _httpMessage: answering } = socket as Socket & { _httpMessage?: ServerResponse | null }
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent) {
    socket.destroy(error)
    return
  }
  answered.add(socket)
  if (answering?.req.complete) {
    // What is broken came after a whole request that is still worked on: that one gets its own answer, and no other.
    answering.shouldKeepAlive = false
    answering.once('finish', () => socket.end())
    return
  }
  const requestId = ids.draw()
  const refusal = problemOf(error)
  const body = problemBytes(refusal, requestId)
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? 'Error'}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${body.length}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ]
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]))
  socket.once(
    'close',
    timers.after(GRACE_MS, () => socket.destroy()),
  )
}

/** Answers requests with an Expect that is not 100-continue. */
export function refuseExpectations(server: Server, ids: IdSource): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const requestId = ids.draw()
    const refusal = problem(
      'expectation-failed',
      'The only expectation that is met is 100-continue. Send the request without Expect',
    )
    const bytes = problemBytes(refusal, requestId)
    const headers = {
      'content-type': PROBLEM_TYPE,
      'content-length': bytes.length,
      'x-request-id': requestId,
      connection: 'close',
    }
    response.writeHead(refusal.status, headers).end(bytes)
  })
}

function problemOf(error: ClientError): ProblemError {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return problem(
      'request-timeout',
      'The headers or the body did not arrive in time. Send the request again, without pauses',
    )
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return lineIsLong(error.rawPacket)
      ? problem('uri-too-long', 'The request line is longer than this server reads. Send a shorter URI')
      : problem('headers-too-large', 'The headers are larger than this server reads. Send fewer or shorter ones')
  }
  return problem(
    'malformed',
    'This is not a valid HTTP/1.1 request. Check its framing: method, headers, Content-Length and encoding',
  )
}

/** Whether it was the request line that filled the header buffer: no end of a line in the first 8 kB. */
function lineIsLong(packet: unknown): boolean {
  if (!Buffer.isBuffer(packet)) return false
  const end = packet.indexOf('\r\n')
  return (end < 0 || end > 8192) && /^[A-Z]+ \//.test(packet.subarray(0, 32).toString('latin1'))
}
