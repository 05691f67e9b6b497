/**
 * Going away without failing anybody. In order:
 *   1. begin: readiness answers 503, and every answer says Connection: close, so keep-alive connections end by themselves.
 *   2. linger: requests are still served, while whoever routes to us notices.
 *   3. close: no new connections; requests in progress are finished, those that arrive on open connections are served too.
 *   4. at the limit: what is still open is cut. Its outcome is unknown to the client, who retries with its key.
 */

import type { FastifyInstance } from 'fastify'
import { systemTimers } from '../core/clock.ts'
import type { Timers } from '../core/clock.ts'

export interface Drain {
  readonly started: boolean
  /** Aborted when it begins: whoever waits on purpose answers now. */
  readonly signal: AbortSignal
  begin(): void
}

export interface DrainOptions {
  /** How long requests are still taken after readiness turned. Defaults to 500. */
  readonly lingerMs?: number
  /** How long requests in progress may take after that. Defaults to 15000. */
  readonly limitMs?: number
  readonly timers?: Timers
}

export function createDrain(): Drain {
  const begun = new AbortController()
  return {
    get started() {
      return begun.signal.aborted
    },
    signal: begun.signal,
    begin: () => begun.abort(),
  }
}

/** Drains and closes. Resolves with whether connections had to be cut; calling it twice is fine. */
export async function drainAndClose(
  app: Pick<FastifyInstance, 'close' | 'server'>,
  drain: Drain,
  options: DrainOptions = {},
): Promise<boolean> {
  const { lingerMs = 500, limitMs = 15_000, timers = systemTimers } = options
  if (!drain.started) {
    drain.begin()
    await timers.sleep(lingerMs)
  }
  let cut = false
  const stop = timers.after(limitMs, () => {
    cut = true
    app.server.closeAllConnections()
  })
  try {
    await app.close()
  } finally {
    stop()
  }
  return cut
}
