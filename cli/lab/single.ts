/** `cauce lab <id>`: one lab, from its concept to what comes next. */
import type { LabDescription, LabEvent, LabList, LabResult, RunCommand } from '@cauce/labs/contract'
import { exits, type ExitCode } from '../exit.ts'
import type { Shell } from '../shell.ts'
import { readBook, writeBook } from './book.ts'
import { introOf } from './intro.ts'
import type { Failure } from './ledger.ts'
import { counts, reportOf } from './report.ts'
import { Collected, LabsBar, measuredLine } from './run-view.ts'
import { runLabs } from './session.ts'

export interface LabsProgram {
  readonly file: string
  readonly list: LabList
}

export async function runSingle(
  shell: Shell,
  { file, list }: LabsProgram,
  lab: LabDescription,
  command: RunCommand,
): Promise<ExitCode> {
  const { output } = shell
  if (!output.json) output.result({}, () => `${introOf(shell, list, lab, command)}\n`)
  const bar = new LabsBar(shell, 1)
  const collected = new Collected()
  const nameWidth = Math.max(
    ...[...lab.variants.map(({ name }) => name), command.own ?? ''].map(({ length }) => length),
  )
  let result: LabResult | undefined
  let failure: Failure | undefined
  bar.start()
  const ended = await runLabs(shell, file, [command], {
    onEvent(event: LabEvent) {
      collected.take(event)
      bar.take(event)
      if (event.type === 'measured') bar.say(measuredLine(shell, lab, event, nameWidth))
    },
    onOutcome: (outcome) => void ({ result, failure } = outcome),
    onPrinted: (line) => bar.say(line),
  })
  bar.stop()
  if (ended === 'interrupted') return exits.interrupted
  if (failure) {
    tellFailure(shell, failure)
    return exits.failed
  }
  const { started, notes, charts } = collected
  if (!result || !started) return exits.failed
  remember(shell, result, command)
  const run = { lab, started, result, notes, charts }
  output.part(result, () => `\n${reportOf(shell, list, run, command, readBook(shell.settings.dataDirectory))}`)
  return result.verdict === 'pass' ? exits.ok : exits.failed
}

/** On stderr; with `--json` on stdout too, where each lab has a line. */
export function tellFailure({ t, output }: Shell, { id, code, message }: Failure): void {
  output.note(output.noteColour.red(t('lab.failed', { id, message })))
  output.part({ id, verdict: 'fail', error: { code, message } })
}

/** Writes down what counts. */
export function remember(shell: Shell, { id, verdict }: LabResult, command: RunCommand): void {
  const { t, output, settings, world } = shell
  const at = new Date(world.clock.now()).toISOString()
  const isOwn = command.own !== undefined
  // A variant of one's own that does not hold yet changes nothing.
  if (!counts(command) || (isOwn && verdict === 'fail')) return
  const problem = writeBook(settings.dataDirectory, id, isOwn ? { at, own: true } : { at, verdict })
  if (problem !== undefined) output.note(t('lab.notWritten', { problem }))
}
