/** Who waits for what when a request carries a token: a service for its consumer group, a view for its own. */
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import type { Pool } from '@cauce/kit/database/pool'
import { createConsistency, type Awaiting, type TokenSource } from '@cauce/kit/http/consistency'
import { passingProblem } from '@cauce/kit/http/problem'
import { postgresLogReader } from '@cauce/kit/log/postgres'
import { ViewNotBuiltError, type ViewReader } from '@cauce/kit/projection/reader'
import { serviceNames, type ServiceName } from './config.ts'
import { reads } from './wire.ts'

export interface Tokens {
  /** For the answers of a service's commands, and for what reads its tables. */
  ofService(name: ServiceName): { readonly tokens: TokenSource; readonly caughtUp: Awaiting }
  /** For what reads a view. A view that is not built yet is a 503 too. */
  ofView(view: ViewReader): Awaiting
}

export function tokensOver(pool: Pool): Tokens {
  const readers = new Map<string, ReturnType<typeof postgresLogReader>>(
    serviceNames.map((name) => [name, postgresLogReader(pool, name)]),
  )
  const consistency = createConsistency({
    heads: (log) => readers.get(log)?.heads(),
    clock: systemClock,
    timers: systemTimers,
  })
  return {
    ofService(name) {
      const groups = postgresGroups(pool, name)
      const served = { sources: reads[name], applied: () => groups.cursors(name) }
      return { tokens: consistency.tokensOf(name), caughtUp: consistency.awaiting(served) }
    },
    ofView(view) {
      const awaiting = consistency.awaiting(view)
      return async (request) => {
        if (!(await view.isBuilt())) throw notBuilt()
        await awaiting(request).catch((error: unknown) => {
          throw error instanceof ViewNotBuiltError ? notBuilt() : error
        })
      }
    },
  }
}

const notBuilt = () => passingProblem('not-ready', 'This list is being built. Send the same request again', 1)
