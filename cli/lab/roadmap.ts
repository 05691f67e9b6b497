/**
 * The roadmap with what has been passed of it. An entry is ticked when all its labs are passed; one without labs is there to be
 * read. Everything it names is a file of this repository.
 */
import type { LabDescription, RoadmapEntry, RoadmapSection } from '@cauce/labs/contract'
import type { Shell } from '../shell.ts'
import { paragraph } from '../paragraph.ts'
import { nextLab, stateOf, type Book } from './book.ts'
import { nextLine } from './list.ts'
import { say } from './words.ts'

type DescribedEntry = RoadmapEntry & { readonly state: State }
type DescribedSection = Omit<RoadmapSection, 'entries'> & { readonly entries: readonly DescribedEntry[] }
type State = 'passed' | 'begun' | 'open' | 'read' | 'to-come'

export function showRoadmap(
  shell: Shell,
  sections: readonly RoadmapSection[],
  labs: readonly LabDescription[],
  book: Book,
): void {
  const described = sections.map((section) => ({
    ...section,
    entries: section.entries.map((entry) => ({ ...entry, state: stateOfEntry(entry, book) })),
  }))
  const next = nextLab(labs, book)
  shell.output.result({ sections: described, next: next?.id ?? null }, () =>
    [
      shell.t('roadmap.intro'),
      ...described.map((section) => sectionText(shell, section)),
      `${shell.output.colour.dim(shell.t('roadmap.legend'))}\n${nextLine(shell, next)}`,
    ].join('\n\n'),
  )
}

export function stateOfEntry({ labs = [], code = [], docs = [], toCome }: RoadmapEntry, book: Book): State {
  const passed = labs.filter((id) => stateOf(book, id) === 'passed').length
  if (labs.length > 0) return passed === labs.length ? 'passed' : passed > 0 ? 'begun' : 'open'
  return code.length + docs.length === 0 && toCome ? 'to-come' : 'read'
}

function sectionText(shell: Shell, section: DescribedSection): string {
  const { t, lang, output } = shell
  const withLabs = section.entries.filter(({ labs = [] }) => labs.length > 0)
  const passed = withLabs.filter(({ state }) => state === 'passed').length
  const count = withLabs.length > 0 ? t('lab.list.count', { passed, total: withLabs.length }) : ''
  const heading = `${output.colour.bold(say(section.title, lang))}  ${output.colour.dim(count)}`.trimEnd()
  return [heading, ...section.entries.map((entry) => entryText(shell, entry))].join('\n')
}

function entryText({ t, lang, output: { colour, width } }: Shell, entry: DescribedEntry): string {
  const marks: Readonly<Record<State, string>> = {
    passed: colour.green('✓'),
    begun: colour.yellow('◐'),
    open: '○',
    read: colour.dim('·'),
    'to-come': colour.dim('…'),
  }
  const { kind, text, labs = [], code = [], docs = [], toCome } = entry
  const named = kind === 'practice' || kind === 'project' ? `${t(`roadmap.${kind}`)}: ` : ''
  const first = paragraph(`${named}${say(text, lang)}`, {
    width,
    first: `  ${marks[entry.state]} `,
    rest: '    ',
  })
  const places = [...labs.map((id) => colour.cyan(`lab ${id}`)), ...[...code, ...docs].map((file) => colour.dim(file))]
  const lines = places.length > 0 ? [paragraph(places.join(' · '), { width, first: '      ', rest: '      ' })] : []
  const later = toCome ? [colour.dim(`      ${t('roadmap.toCome')}: ${say(toCome, lang)}`)] : []
  return [first, ...lines, ...later].join('\n')
}
