/** Before a start: is Cauce on that port already? One that is stopping is waited for; one that serves is not doubled. */
import { seconds } from '@cauce/kit/core/clock'
import { CliError } from '../exit.ts'
import type { Shell } from '../shell.ts'

const ASK_MS = 2_000
const LOOK_AGAIN_MS = 100
const LONGEST_WAIT_MS = seconds(30)

/** @throws CliError when a server answers there and is not about to stop. */
export async function awaitFreePort({ t, output, world }: Shell, url: string): Promise<void> {
  const { clock, timers } = world
  const giveUpAt = clock.monotonic() + LONGEST_WAIT_MS
  for (let told = false; ; told = true) {
    const state = await ask(world, url)
    if (state === 'free') return
    if (state === 'serving' || clock.monotonic() > giveUpAt) throw new CliError(t('up.already', { url }))
    if (!told) output.note(t('up.waitingForPort', { url }))
    await timers.sleep(LOOK_AGAIN_MS)
  }
}

/** What is not Cauce counts as free here: the server's own attempt to listen says what is wrong. */
async function ask({ fetch, timers }: Shell['world'], url: string): Promise<'free' | 'serving' | 'stopping'> {
  const silence = new AbortController()
  const cancel = timers.after(ASK_MS, () => silence.abort())
  try {
    const live = (await (await fetch(`${url}/livez`, { signal: silence.signal })).json()) as { status?: unknown }
    if (live?.status !== 'alive') return 'free'
    const ready = (await (await fetch(`${url}/readyz`, { signal: silence.signal })).json()) as { detail?: unknown }
    return typeof ready?.detail === 'string' && ready.detail.includes('shutting down') ? 'stopping' : 'serving'
  } catch {
    return 'free'
  } finally {
    cancel()
  }
}
