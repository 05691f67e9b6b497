/** A primary and a standby that follows it, with a wire between them that can be long and be cut. */
import { startThrowAway, type ThrowAwayCluster } from '@cauce/kit/database/embedded/throw-away'
import { wireTo, type Wire } from '@cauce/kit/database/embedded/wire'
import type { Timers } from '@cauce/kit/core/clock'
import type { LabDatabase } from '../harness/database.ts'
import type { Stage } from '../harness/stage.ts'

export interface Pair {
  readonly primary: ThrowAwayCluster
  readonly standby: ThrowAwayCluster
  /** What the standby follows the primary by. Nobody else goes there. */
  readonly wire: Wire
  stop(): Promise<void>
}

export interface PairOptions {
  readonly timers: Timers
  /** How long a message takes between the two. Defaults to nothing. */
  readonly delayMs?: number
}

/** Takes three to four seconds: the primary is started, stopped to be copied, and started again. */
export async function startPair({ timers, delayMs }: PairOptions): Promise<Pair> {
  const primary = await startThrowAway({ prefix: 'cauce-lab-' })
  const wire = await wireTo(() => Number(new URL(primary.url).port), timers, delayMs)
  const stop = async () => {
    await wire.close()
    await primary.stop()
  }
  try {
    const { username, password } = new URL(primary.url)
    const way = `host=127.0.0.1 port=${wire.port} user=${username} password=${password} application_name=standby`
    const standby = await primary.standby({ primary_conninfo: way })
    return { primary, standby, wire, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** How long a lent pair waits for the next variant. */
const KEPT_MS = 3_000

let kept: { readonly pair: Promise<Pair>; users: number; forget: () => void } | undefined

/** A pair that the variants of a lab may use one after the other, for labs that break nothing. It ends when nobody wants it. */
export async function lendPair({ timers, closing }: Pick<Stage, 'timers' | 'closing'>): Promise<Pair> {
  const lent = (kept ??= { pair: startPair({ timers }), users: 0, forget: () => {} })
  lent.users += 1
  lent.forget()
  closing(async () => {
    lent.users -= 1
    if (lent.users > 0) return
    lent.forget = timers.after(KEPT_MS, () => {
      kept = undefined
      lent.pair.then((pair) => pair.stop()).catch(() => undefined)
    })
  })
  return lent.pair
}

/** Looks again until PostgreSQL says yes. */
export async function untilTrue(query: LabDatabase['query'], condition: string, timers: Timers): Promise<void> {
  for (;;) {
    const [row] = await query<{ yes: boolean | null }>(`SELECT (${condition}) AS yes`)
    if (row?.yes === true) return
    await timers.sleep(10)
  }
}
