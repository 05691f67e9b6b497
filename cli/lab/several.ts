/** `cauce lab --all` and `--phase`: one lab after the other, a line for each, and a table of them all. */
import type { LabDescription, RunCommand } from '@cauce/labs/contract'
import { exits, type ExitCode } from '../exit.ts'
import { table } from '../output.ts'
import type { Shell } from '../shell.ts'
import { formatDuration } from '../time.ts'
import type { Outcome } from './ledger.ts'
import { LabsBar } from './run-view.ts'
import { runLabs } from './session.ts'
import { remember, tellFailure, type LabsProgram } from './single.ts'
import { mark } from './words.ts'

export async function runSeveral(
  shell: Shell,
  { file }: LabsProgram,
  labs: readonly LabDescription[],
  options: Pick<RunCommand, 'seed' | 'size'>,
): Promise<ExitCode> {
  const { output, world } = shell
  const commands = labs.map(({ id }) => ({ id, ...options }))
  const outcomes: Outcome[] = []
  const bar = new LabsBar(shell, labs.length)
  const idWidth = Math.max(...labs.map(({ id }) => id.length))
  const begun = world.clock.monotonic()
  bar.start()
  const ended = await runLabs(shell, file, commands, {
    onEvent: (event) => bar.take(event),
    onOutcome(outcome) {
      outcomes.push(outcome)
      bar.labEnded()
      bar.say(lineOf(shell, outcome, idWidth))
      if (outcome.failure)
        return tellFailure({ ...shell, output: { ...output, note: (text) => bar.say(text) } }, outcome.failure)
      remember(shell, outcome.result, { id: outcome.result.id, ...options })
      output.part(outcome.result)
    },
    onPrinted: (line) => bar.say(line),
  })
  bar.stop()
  if (ended === 'interrupted') return exits.interrupted
  const isPass = outcomes.every(({ result }) => result?.verdict === 'pass')
  if (!output.json)
    output.result({}, () => {
      const summary = summaryOf(shell, labs, outcomes, world.clock.monotonic() - begun)
      return `\n${[summary, ...notCounted(shell, options)].join('\n')}`
    })
  return isPass ? exits.ok : exits.failed
}

function lineOf({ t, output: { noteColour } }: Shell, { result, failure }: Outcome, idWidth: number): string {
  const isPass = result?.verdict === 'pass'
  const id = (result ?? failure).id.padEnd(idWidth)
  const took = result ? `  ${formatDuration(result.ms)}` : ''
  return `${mark(noteColour, isPass)} ${id}  ${t(isPass ? 'lab.pass' : 'lab.fail')}${noteColour.dim(took)}`
}

function summaryOf(shell: Shell, labs: readonly LabDescription[], outcomes: readonly Outcome[], ms: number): string {
  const { t, output } = shell
  const { colour } = output
  const head = [t('lab.column.phase'), t('lab.column.lab'), t('lab.column.verdict'), t('lab.column.time')]
  const rows = outcomes.map(({ result, failure }) => {
    const { id } = result ?? failure
    const isPass = result?.verdict === 'pass'
    const verdict = isPass ? colour.green(t('lab.pass')) : colour.red(t('lab.fail'))
    const phase = labs.find((lab) => lab.id === id)?.phase ?? ''
    return [mark(colour, isPass), String(phase), id, verdict, result ? formatDuration(result.ms) : '–']
  })
  const passed = outcomes.filter(({ result }) => result?.verdict === 'pass').length
  const total = t('lab.all.passed', { passed, total: outcomes.length, took: formatDuration(ms) })
  const failed = outcomes.flatMap(({ result, failure }) =>
    result?.verdict === 'pass'
      ? []
      : [`  ${colour.cyan(`npx cauce lab ${(result ?? failure).id}`)}  ${whyOf(shell, result)}`],
  )
  const look = failed.length === 0 ? [] : [[`${t('lab.all.look')}:`, ...failed].join('\n')]
  return [table({ head: ['', ...head], rows, right: [4], colour }), total, ...look].join('\n\n')
}

function notCounted({ t, output }: Shell, { size }: Pick<RunCommand, 'size'>): string[] {
  return size === 'default' ? [] : [output.colour.dim(t('lab.notCounted'))]
}

function whyOf({ t }: Shell, result: Outcome['result']): string {
  const unexpected = result?.variants.filter(({ expected, observed }) => expected !== observed) ?? []
  return unexpected
    .map(({ name, expected }) => t(expected === 'fails' ? 'lab.verdict.notShown' : 'lab.verdict.notHeld', { name }))
    .join(' ')
}
