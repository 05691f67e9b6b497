/** What is said when a lab has run: the table, what was seen, the charts, the verdict, and where to go from here. */
import type { LabDescription, LabList, LabResult, RunCommand } from '@cauce/labs/contract'
import { table } from '../output.ts'
import { paragraph, widthOf } from '../paragraph.ts'
import type { Shell } from '../shell.ts'
import { formatDuration } from '../time.ts'
import { nextLab, type Book } from './book.ts'
import { drawCharts } from './charts/charts.ts'
import { nextLine } from './list.ts'
import { pageOf } from './page.ts'
import type { Run } from './run-view.ts'
import { formatValue, mark, measureTitle, namesOf, paintObserved, say } from './words.ts'

export function reportOf(shell: Shell, list: LabList, run: Run, command: RunCommand, book: Book): string {
  const { lab, result } = run
  return [
    tableOf(shell, lab, result),
    ...seen(shell, run),
    ...drawCharts(shell, run.charts),
    verdictOf(shell, run, command),
    production(shell, lab),
    further(shell, list, run, command, book),
  ].join('\n\n')
}

function tableOf({ t, lang, output: { colour, width } }: Shell, lab: LabDescription, { variants }: LabResult): string {
  const measured = Object.keys(lab.measures).filter((name) => variants.some((variant) => name in variant.measured))
  const head = [t('lab.column.variant'), t('lab.column.expected'), t('lab.column.observed')]
  const rows = variants.map(({ name, expected, observed, measured: values }) => [
    mark(colour, expected === observed),
    name,
    t(expected === 'fails' ? 'lab.fails' : 'lab.holds'),
    paintObserved(t, colour, expected, observed),
    ...measured.map((key) => formatValue(values[key], lang, t)),
  ])
  const isNumber = (key: string) => variants.every((variant) => typeof variant.measured[key] !== 'string')
  const right = measured.flatMap((key, index) => (isNumber(key) ? [index + 4] : []))
  const titles = measured.map((key) => measureTitle(lab, key, lang))
  const draw = (wrapped: readonly string[]) => table({ head: ['', ...head, ...wrapped], rows, right, colour })
  const wide = draw(titles)
  const isTooWide = wide.split('\n').some((line) => widthOf(line) > width)
  return isTooWide ? draw(titles.map((title) => paragraph(title, { width: NARROW_TITLE }))) : wide
}

/** How wide the title of a column is at most, when they do not all fit. */
const NARROW_TITLE = 14

function seen({ t, lang, output: { colour, width } }: Shell, { notes }: Run): string[] {
  if (notes.length === 0) return []
  const lines = notes.map(({ variant, text }) =>
    paragraph(say(text, lang), { width, first: `  ${colour.cyan(variant)}: `, rest: '    ' }),
  )
  return [[colour.bold(t('lab.seen')), ...lines].join('\n')]
}

function verdictOf(shell: Shell, run: Run, command: RunCommand): string {
  const { t, output } = shell
  const { colour, width } = output
  const { result, started } = run
  const isPass = result.verdict === 'pass'
  const sentences = isPass ? [passText(shell, result, command)] : failTexts(shell, run, command)
  const facts = `${t('lab.run', { seed: result.seed, size: started.size })} · ${formatDuration(result.ms)}`
  const lines = sentences.map((sentence) => paragraph(sentence, { width, first: `${mark(colour, isPass)} ` }))
  const painted = lines.map((line) => (isPass ? colour.green(line) : colour.red(line)))
  const uncounted = isPass && !counts(command) ? [colour.dim(t('lab.notCounted'))] : []
  return [...painted, colour.dim(facts), ...uncounted].join('\n')
}

/** Whether a run is written down: every variant, or one's own beside ours, with the lab's own numbers. */
export const counts = ({ only, set, size }: RunCommand): boolean =>
  only === undefined && set === undefined && size === 'default'

function passText({ t, lang }: Shell, { variants }: LabResult, { only, own }: RunCommand): string {
  if (own !== undefined) return t('lab.verdict.own', { name: own })
  if (only !== undefined) return t('lab.verdict.only', { name: only })
  const those = (expected: string) => variants.filter((each) => each.expected === expected).map(({ name }) => name)
  const holds = those('holds')
  const names = { fails: namesOf(those('fails'), lang), holds: namesOf(holds, lang) }
  return holds.length > 1 ? t('lab.verdict.passMany', names) : t('lab.verdict.pass', names)
}

function failTexts({ t }: Shell, { result }: Run, { own, set }: RunCommand): string[] {
  const unexpected = result.variants.filter(({ expected, observed }) => expected !== observed)
  const naive = result.variants.find(({ expected }) => expected === 'fails')?.name ?? '–'
  const ours = unexpected.filter(({ name }) => name !== own)
  const mine = unexpected.filter(({ name }) => name === own)
  /** A failure that is not shown may be the fault of the numbers; a fix that does not hold is ours with any. */
  const blame = (those: typeof ours) =>
    set !== undefined && those.every(({ expected }) => expected === 'fails')
      ? t('lab.verdict.values', {
          values: Object.entries(set)
            .map((each) => each.join('='))
            .join(', '),
        })
      : t('lab.verdict.ours', { seed: result.seed })
  return [
    ...mine.map(({ name, measured }) =>
      Object.keys(measured).length === 0
        ? t('lab.verdict.ownBroke', { name })
        : t('lab.verdict.ownFails', { name, naive }),
    ),
    ...ours.map(({ name, expected }) =>
      t(expected === 'fails' ? 'lab.verdict.notShown' : 'lab.verdict.notHeld', { name }),
    ),
    ...(ours.length > 0 ? [blame(ours)] : []),
  ]
}

function production({ t, lang, output: { colour, width } }: Shell, { production: files }: LabDescription): string {
  const lines = files.map(({ file, about }) =>
    paragraph(say(about, lang), { width, first: `  ${colour.cyan(file)}: `, rest: '    ' }),
  )
  return [colour.bold(t('lab.production')), ...lines].join('\n')
}

function further(shell: Shell, { labs }: LabList, { lab }: Run, { own }: RunCommand, book: Book): string {
  const { t, lang, output } = shell
  const { colour } = output
  const { id, takesVariants } = lab
  const command = (args: string) => colour.cyan(`npx cauce lab ${id} ${args}`)
  const page = t('lab.page', { page: pageOf(id, lang).name, command: command('--explain') })
  const build = takesVariants && own === undefined ? [`${t('lab.build')}: ${command('--scaffold mine.ts')}`] : []
  return [page, ...build, nextLine(shell, nextLab(labs, book, id))].join('\n')
}
