/** The progress bar of a demonstration: how many orders have ended, and how many are accepted. */
import { createBar, type Bar } from '../bar.ts'
import type { Output } from '../output.ts'
import type { Translate } from '../texts.ts'

export interface Progress extends Pick<Bar, 'onTerminal' | 'say' | 'stop'> {
  start(): void
  show(accepted: number, ended: number, awayMs: number): void
}

export function createProgress(output: Output, t: Translate, total: number): Progress {
  const counts = `{accepted}/{total} ${t('demo.bar.accepted')} · {value}/{total} ${t('demo.bar.ended')}`
  const bar = createBar(output, { format: `${counts} · {duration_formatted}{away}` })
  return {
    get onTerminal() {
      return bar.onTerminal
    },
    start: () => bar.start(total, { accepted: 0, away: '' }),
    show(accepted, ended, awayMs) {
      const seconds = Math.round(awayMs / 1000)
      bar.update(ended, { accepted, away: seconds > 1 ? ` · ${t('demo.bar.away', { seconds })}` : '' })
    },
    stop: bar.stop,
    say: bar.say,
  }
}
