/** The labs by phase, with what has been passed and what comes next. */
import type { LabDescription, LabList } from '@cauce/labs/contract'
import { table } from '../output.ts'
import type { Shell } from '../shell.ts'
import { nextLab, stateOf, type Book, type State } from './book.ts'
import { say } from './words.ts'

export function showList(shell: Shell, list: LabList, book: Book): void {
  const { phases, labs } = list
  const described = labs.map((lab) => ({
    ...lab,
    state: stateOf(book, lab.id),
    ownHolds: book.labs[lab.id]?.own ?? false,
    at: book.labs[lab.id]?.at ?? null,
  }))
  const passed = passedOf(labs, book)
  const next = nextLab(labs, book)?.id ?? null
  shell.output.result({ passed, total: labs.length, next, phases, labs: described }, () => text(shell, list, book))
}

const passedOf = (labs: readonly LabDescription[], book: Book): number =>
  labs.filter(({ id }) => stateOf(book, id) === 'passed').length

function text(shell: Shell, { phases, labs }: LabList, book: Book): string {
  const { t, lang, output } = shell
  const { colour } = output
  const idWidth = Math.max(0, ...labs.map(({ id }) => id.length))
  const sections = phases.flatMap(({ number, title }) => {
    const own = labs.filter(({ phase }) => phase === number)
    if (own.length === 0) return []
    const count = t('lab.list.count', { passed: passedOf(own, book), total: own.length })
    const heading = t('lab.list.phase', { number, title: say(title, lang) })
    const rows = own.map((lab) => rowOf(shell, lab, book, idWidth))
    return [`${colour.bold(heading)}  ${colour.dim(count)}\n${table({ rows, colour })}`]
  })
  const total = t('lab.list.count', { passed: passedOf(labs, book), total: labs.length })
  const intro = `${t('lab.list.intro')} ${total}.`
  const { length } = labs
  const end = length === 0 ? [] : [`${colour.dim(t('lab.list.legend'))}\n${nextLine(shell, nextLab(labs, book))}`]
  return [intro, ...sections, ...end].join('\n\n')
}

function rowOf(
  { lang, output: { colour } }: Shell,
  { id, title }: LabDescription,
  book: Book,
  width: number,
): string[] {
  const marks: Readonly<Record<State, string>> = {
    passed: colour.green('✓'),
    failed: colour.red('✗'),
    untried: colour.dim('·'),
  }
  const star = book.labs[id]?.own === true ? colour.yellow(' ★') : ''
  return [`  ${marks[stateOf(book, id)]}`, colour.cyan(id.padEnd(width)), `${say(title, lang)}${star}`]
}

/** What to do next. */
export function nextLine({ t, lang, output: { colour } }: Shell, next: LabDescription | undefined): string {
  if (!next) return t('lab.allPassed')
  return `${t('lab.next')}: ${colour.cyan(`npx cauce lab ${next.id}`)}  ${colour.dim(say(next.title, lang))}`
}
