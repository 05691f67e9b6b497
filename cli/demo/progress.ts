/** The progress bar of a demonstration: how many orders have ended, and how many are accepted. On stderr, a terminal or not. */
import { SingleBar } from 'cli-progress'
import type { Output } from '../output.ts'
import type { Translate } from '../texts.ts'

export interface Progress {
  /** Whether the bar has the terminal's last line, and another one would tear it. */
  readonly onTerminal: boolean
  start(): void
  show(accepted: number, ended: number, awayMs: number): void
  stop(): void
  /** A line that stays, above the bar. */
  say(text: string): void
}

const LINE_EVERY_MS = 2_000
const CLEAR_LINE = '\r\u001B[K'
/** When it ends the bar goes back to where it was; that is a line further down now. */
const SAVE_CURSOR = '\u001B7'

export function createProgress(output: Output, t: Translate, total: number): Progress {
  const counts = `{accepted}/{total} ${t('demo.bar.accepted')} · {value}/{total} ${t('demo.bar.ended')}`
  const bar = new SingleBar({
    format: `${output.noteColour.cyan('{bar}')} ${counts} · {duration_formatted}{away}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    fps: 5,
    stream: output.stderr as NodeJS.WritableStream,
    noTTYOutput: true,
    notTTYSchedule: LINE_EVERY_MS,
    gracefulExit: false,
    emptyOnZero: true,
    // A line that was said has taken its place.
    forceRedraw: true,
  })
  return {
    get onTerminal() {
      return bar.isActive && output.stderr.isTTY === true
    },
    start: () => bar.start(total, 0, { accepted: 0, away: '' }),
    show(accepted, ended, awayMs) {
      const seconds = Math.round(awayMs / 1000)
      bar.update(ended, { accepted, away: seconds > 1 ? ` · ${t('demo.bar.away', { seconds })}` : '' })
    },
    stop: () => bar.stop(),
    say(text) {
      if (!bar.isActive || output.stderr.isTTY !== true) return output.note(text)
      output.stderr.write(`${CLEAR_LINE}${text}\n${SAVE_CURSOR}`)
    },
  }
}
