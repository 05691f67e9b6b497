/** A progress bar on stderr, a terminal or not, and lines that are said while it goes on. */
import { SingleBar } from 'cli-progress'
import type { Output } from './output.ts'

export interface Bar {
  /** Whether the bar has the terminal's last line, and another one would tear it. */
  readonly onTerminal: boolean
  /** @param values what the format names */
  start(total: number, values: object): void
  update(value: number, values: object): void
  stop(): void
  /** A line that stays, above the bar. */
  say(text: string): void
}

export interface BarOptions {
  /** What follows the bar: `{value}/{total} {name}`. */
  readonly format: string
  /** Whether the bar is gone when it stops: what it showed has been said. */
  readonly clears?: boolean
}

const LINE_EVERY_MS = 2_000
const CLEAR_LINE = '\r\u001B[K'
/** When it ends the bar goes back to where it was; that is a line further down now. */
const SAVE_CURSOR = '\u001B7'

export function createBar(output: Output, { format, clears = false }: BarOptions): Bar {
  const bar = new SingleBar({
    format: `${output.noteColour.cyan('{bar}')} ${format}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    fps: 5,
    stream: output.stderr as NodeJS.WritableStream,
    noTTYOutput: true,
    notTTYSchedule: LINE_EVERY_MS,
    clearOnComplete: clears,
    gracefulExit: false,
    emptyOnZero: true,
    // A line that was said has taken its place.
    forceRedraw: true,
  })
  return {
    get onTerminal() {
      return bar.isActive && output.stderr.isTTY === true
    },
    start: (total, values) => bar.start(total, 0, values),
    update: (value, values) => bar.update(value, values),
    stop: () => bar.stop(),
    say(text) {
      if (!bar.isActive || output.stderr.isTTY !== true) return output.note(text)
      output.stderr.write(`${CLEAR_LINE}${text}\n${SAVE_CURSOR}`)
    },
  }
}
