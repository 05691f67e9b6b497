/** What is said before a lab runs: the concept, what to watch, its variants and numbers. */
import type { LabDescription, LabList, RunCommand } from '@cauce/labs/contract'
import { paragraph } from '../paragraph.ts'
import type { Shell } from '../shell.ts'
import { formatNumber, say } from './words.ts'

export function introOf(shell: Shell, { phases }: LabList, lab: LabDescription, command: RunCommand): string {
  const { t, lang, output } = shell
  const { colour, width } = output
  const phase = phases.find(({ number }) => number === lab.phase)
  const where = t('lab.phase', { id: lab.id, number: lab.phase, title: phase ? say(phase.title, lang) : '' })
  return [
    `${colour.bold(say(lab.title, lang))}\n${colour.dim(where)}`,
    paragraph(say(lab.concept, lang), { width }),
    paragraph(say(lab.watch, lang), { width, first: `${colour.bold(t('lab.watch'))}: `, rest: '' }),
    variantsOf(shell, lab, command),
    numbersOf(shell, lab, command),
  ].join('\n\n')
}

function variantsOf({ t, lang, output }: Shell, { variants }: LabDescription, { only, own }: RunCommand): string {
  const { colour, width } = output
  const listed = variants.map(({ name, expected, about }) => ({
    name,
    expectation: t(expected === 'fails' ? 'lab.expected.fails' : 'lab.expected.holds'),
    about: say(about, lang),
  }))
  const chosen = only === undefined ? listed : listed.filter(({ name }) => name === only)
  const mine = own === undefined ? [] : [{ name: own, expectation: t('lab.expected.holds'), about: t('lab.own') }]
  const rows = [...chosen, ...mine]
  const longest = (of: (row: (typeof rows)[number]) => string) => Math.max(...rows.map((row) => of(row).length))
  const nameWidth = longest(({ name }) => name)
  const expectationWidth = longest(({ expectation }) => expectation)
  const lines = rows.map(({ name, expectation, about }) => {
    const first = `  ${colour.cyan(name.padEnd(nameWidth))}  ${expectation.padEnd(expectationWidth)}  `
    return paragraph(about, { width, first })
  })
  return [colour.bold(t('lab.variants')), ...lines].join('\n')
}

function numbersOf({ t, lang, output }: Shell, { parameters }: LabDescription, command: RunCommand): string {
  const { colour, width } = output
  const { seed, size, set = {} } = command
  const entries = Object.entries(parameters)
  const nameWidth = Math.max(0, ...entries.map(([name]) => name.length))
  const lines = entries.map(([name, { about, min, max, ...values }]) => {
    const value = formatNumber(set[name] ?? values[size], lang)
    const range = { about: say(about, lang), min: formatNumber(min, lang), max: formatNumber(max, lang) }
    return paragraph(t('lab.range', range), { width, first: `  ${colour.cyan(name.padEnd(nameWidth))}  ${value}  ` })
  })
  const heading = entries.length === 0 ? [] : [colour.bold(t('lab.parameters')), ...lines, '']
  return [...heading, t('lab.run', { seed, size })].join('\n')
}
