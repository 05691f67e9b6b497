/** What happens while the server starts, told from its log, and that it still goes on when there is nothing to tell. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from '@cauce/kit/core/clock'
import type { Shell } from '../shell.ts'
import type { TextKey } from '../texts.ts'
import { parseLogLine } from './log-line.ts'

type Step = Extract<TextKey, `up.step.${string}`>

/** The log lines that mark a step. */
const steps: Readonly<Record<string, Step>> = {
  'embedded PostgreSQL is up': 'up.step.database',
  'schema migrated': 'up.step.schemas',
  'sandbox started': 'up.step.sandbox',
  'sandbox adopted': 'up.step.sandbox',
}
const STILL_EVERY_MS = seconds(5)

export interface StartProgress {
  onLine(line: string): void
  /** No more to tell: it runs, or it failed. */
  end(): void
}

export function tellStart({ t, output, settings, world: { clock, timers } }: Shell): StartProgress {
  const { dataDirectory, databaseUrl } = settings
  const told = new Set<Step>()
  const ended = new AbortController()
  const begunMs = clock.monotonic()
  output.note(t('up.starting', { data: dataDirectory }))
  const made = ['pg', 'location'].some((name) => existsSync(join(dataDirectory, name)))
  if (databaseUrl === undefined && !made) output.note(output.noteColour.dim(`  ${t('up.first')}`))

  const sayThatItGoesOn = async () => {
    for (;;) {
      await timers.sleep(STILL_EVERY_MS, ended.signal)
      if (ended.signal.aborted) return
      output.note(
        output.noteColour.dim(`  ${t('up.still', { seconds: Math.round((clock.monotonic() - begunMs) / 1000) })}`),
      )
    }
  }
  void sayThatItGoesOn()

  return {
    onLine(line) {
      const step = steps[parseLogLine(line)?.message ?? '']
      if (step === undefined || told.has(step) || ended.signal.aborted) return
      told.add(step)
      output.note(output.noteColour.dim(`  ${t(step)}`))
    },
    end: () => ended.abort(),
  }
}
