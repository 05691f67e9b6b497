/** A command that runs until it is told to end: the first signal asks what it started to stop, a later one ends it. */
import { seconds } from '@cauce/kit/core/clock'
import type { World } from './shell.ts'

export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Signals closer together than this are one Ctrl-C: npm passes on what the terminal has sent already. */
const ONE_SIGNAL_MS = seconds(1)

export interface StopOptions {
  /** What takes longer than this to stop is ended. */
  readonly limitMs: number
  /** Asks it to stop. */
  stop(): void
  /** Ends it. */
  kill(): void
  /** Called before `kill` when the limit has passed. */
  onLate?(): void
}

export interface Stopping {
  /** The signal that asked for the end. */
  readonly signal: NodeJS.Signals | undefined
  /** Listens no more. */
  release(): void
}

export function stopOnSignals(
  { clock, timers, signals }: Pick<World, 'clock' | 'timers' | 'signals'>,
  { limitMs, stop, kill, onLate }: StopOptions,
): Stopping {
  let first: { signal: NodeJS.Signals; atMs: number } | undefined
  let cancel = () => {}
  const onSignal = (signal: NodeJS.Signals) => {
    if (first) {
      if (clock.monotonic() - first.atMs > ONE_SIGNAL_MS) kill()
      return
    }
    first = { signal, atMs: clock.monotonic() }
    cancel = timers.after(limitMs, () => {
      onLate?.()
      kill()
    })
    stop()
  }
  for (const signal of stopSignals) signals.on(signal, onSignal)
  return {
    get signal() {
      return first?.signal
    },
    release() {
      cancel()
      for (const signal of stopSignals) signals.off(signal, onSignal)
    },
  }
}
