/**
 * Server-sent events. What is promised about open streams:
 *   1. A principal has a bounded number of them, and so has the server: one more is 429 or 503.
 *   2. A comment every 15 s keeps what stands between from closing an idle one.
 *   3. A reader that has not taken what was written by the next comment, or is too much behind, is cut off: it comes again with
 *      Last-Event-ID.
 *   4. When the server closes they are ended, and the clients come again somewhere else.
 */
import { fastifySSE } from '@fastify/sse'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { seconds, type Timers } from '../core/clock.ts'
import { principalOf } from './principal.ts'
import { passingProblem, problem } from './problem.ts'
import type { HttpServer } from './server-types.ts'

const PER_PRINCIPAL = 20
const IN_ALL = 5000
const BEAT_MS = seconds(15)
const MOST_UNSENT_BYTES = 262_144

/** Its media type: for `config.produces` and `schema.produces` of the route. */
export const EVENT_STREAM = 'text/event-stream'

/** For the options of a route that streams. HEAD of an endless answer makes no sense. */
export const streaming = {
  sse: { kind: 'manual', heartbeat: false },
  exposeHeadRoute: false,
} as const

export interface Stream {
  /** Sends one event, or cuts the reader off (3). */
  send(event: { readonly event: string; readonly id: string; readonly data: object }): void
  /** Resolves when the reader can take more, or has gone: whoever has much to send waits in between, and nobody is cut off. */
  taken(): Promise<void>
  /** Ends it from here. */
  end(): void
}

export interface OpenStreams {
  readonly size: number
  /**
   * Turns the answer to a request into a stream. `onClose` is called once it has ended, whoever ended it. Throws a ProblemError
   * (429, 503) when there are too many.
   */
  open(request: FastifyRequest, reply: FastifyReply, onClose: () => void): Stream
}

/** Registers what streams need on `app`, and gives those that are open. Routes with `streaming` are added to it afterwards. */
export async function openStreams(app: HttpServer, timers: Timers): Promise<OpenStreams> {
  await app.register(fastifySSE)
  const open = new Map<FastifyReply, string>()
  let stopBeating: (() => void) | undefined
  let closing = false

  app.addHook('preClose', (done) => {
    closing = true
    for (const reply of open.keys()) reply.sse.close()
    done()
  })

  function beat(): void {
    for (const { raw } of open.keys()) {
      if (raw.writableLength > 0) raw.destroy()
      else raw.write(':\n\n')
    }
    stopBeating = open.size > 0 ? timers.after(BEAT_MS, beat) : undefined
  }

  function admit(subject: string): void {
    if (open.size >= IN_ALL) throw passingProblem('too-busy', 'There are too many open streams. Try again later', 5)
    const mine = [...open.values()].filter((other) => other === subject).length
    if (mine < PER_PRINCIPAL) return
    const detail = `You have ${mine} open streams. Close one before you open another`
    throw problem('rate-limited', detail, { 'retry-after': '5' })
  }

  return {
    get size() {
      return open.size
    },
    open(request, reply, onClose) {
      const { raw } = reply
      if (raw.destroyed || !reply.sse.isConnected) {
        // Gone before it began: nobody would tell that it closed.
        onClose()
        return { send: () => undefined, taken: () => Promise.resolve(), end: () => undefined }
      }
      const { subject } = principalOf(request)
      admit(subject)
      open.set(reply, subject)
      stopBeating ??= timers.after(BEAT_MS, beat)
      reply.sse.onClose(() => {
        open.delete(reply)
        if (open.size === 0) {
          stopBeating?.()
          stopBeating = undefined
        }
        onClose()
      })
      reply.sse.keepAlive()
      reply.sse.sendHeaders()
      raw.write(':\n\n') // the head alone would wait for the first event
      return {
        send(event) {
          if (!reply.sse.isConnected) return
          if (raw.writableLength > MOST_UNSENT_BYTES) {
            raw.destroy()
            return
          }
          // It settles when the reader has taken it; one that never does is noticed above.
          reply.sse.send(event).catch(() => undefined)
          if (closing) reply.sse.close()
        },
        taken: () => taken(raw),
        end: () => reply.sse.close(),
      }
    },
  }
}

function taken(raw: FastifyReply['raw']): Promise<void> {
  if (!raw.writableNeedDrain || raw.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      raw.off('drain', done).off('close', done)
      resolve()
    }
    raw.once('drain', done).once('close', done)
  })
}
