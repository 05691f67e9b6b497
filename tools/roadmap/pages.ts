/** The roadmap as two pages, from the roadmap as data (labs/roadmap). What is made is compared with what is there by a test. */
import { existsSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import type { RoadmapEntry, RoadmapSection } from '../../labs/contract.ts'
import { roadmap } from '../../labs/roadmap/roadmap.ts'
import { root } from '../run.ts'

type Lang = 'en' | 'es'

export const pages: Readonly<Record<Lang, string>> = { en: 'docs/roadmap.md', es: 'docs/roadmap.es.md' }

const words = {
  en: {
    title: '# The roadmap',
    other: '[En español](roadmap.es.md)',
    about: `A roadmap to serious architecture, in nine phases: every concept, every practice, its three projects and the concepts that
nobody can do without, in its own order. For each: the labs that let you see it, the code that runs it, the tests that prove it, the
pages that explain it. \`npx cauce roadmap\` shows the same with what you have passed; terms are in the [glossary](glossary.md).`,
    kind: { concept: '', practice: '**Practice** · ', project: '**Project** · ', flag: '' },
    labs: 'labs',
    code: 'code',
    tests: 'tests',
    docs: 'read',
    toCome: 'still to come',
  },
  es: {
    title: '# La hoja de ruta',
    other: '[In English](roadmap.md)',
    about: `Una hoja de ruta hacia la arquitectura seria, en nueve fases: cada concepto, cada práctica, sus tres proyectos y los conceptos
que hay que dominar sí o sí, en su propio orden. De cada uno: los labs que lo dejan ver, el código que lo ejecuta, las pruebas que lo
demuestran, las páginas que lo explican. \`npx cauce roadmap\` muestra lo mismo con lo que has superado; los términos están en el
[glosario](glossary.es.md).`,
    kind: { concept: '', practice: '**Práctica** · ', project: '**Proyecto** · ', flag: '' },
    labs: 'labs',
    code: 'código',
    tests: 'pruebas',
    docs: 'leer',
    toCome: 'por venir',
  },
} as const satisfies Record<Lang, Record<string, string | Record<RoadmapEntry['kind'], string>>>

export function pageOf(lang: Lang): string {
  const { title, other, about } = words[lang]
  const sections = roadmap.map((section) => sectionOf(section, lang))
  const note = '<!-- Made by `npm run roadmap` from labs/roadmap. -->'
  return `${[title, note, other, about, ...sections].join('\n\n')}\n`
}

function sectionOf({ title, entries }: RoadmapSection, lang: Lang): string {
  return `## ${title[lang]}\n\n${entries.map((entry) => entryOf(entry, lang)).join('\n')}`
}

function entryOf(
  { kind, text, labs = [], code = [], tests = [], docs = [], toCome }: RoadmapEntry,
  lang: Lang,
): string {
  const said = words[lang]
  const places = [
    [said.labs, labs.map((id) => link(id, `docs/labs/${id}.md`, lang))],
    [said.code, code.map((file) => link(`\`${shortened(file)}\``, file, lang))],
    [said.tests, tests.map((file) => link(`\`${shortened(file)}\``, file, lang))],
    [said.docs, docs.map((file) => link(basename(file, '.md').replace(/^\d+-/, '').replaceAll('-', ' '), file, lang))],
    [said.toCome, toCome ? [toCome[lang]] : []],
  ] as const
  const lines = places
    .filter(([, links]) => links.length > 0)
    .map(([name, links]) => `  - *${name}*: ${links.join(', ')}`)
  return [`- ${said.kind[kind]}${text[lang]}`, ...lines].join('\n')
}

/** `payments/decide.ts`: the folder tells which one. */
const shortened = (file: string): string => file.split('/').slice(-2).join('/')

/** From the page to the file; to its Spanish version where there is one. */
function link(name: string, file: string, lang: Lang): string {
  const spanish = file.replace(/\.md$/, '.es.md')
  const target = lang === 'es' && existsSync(join(root, spanish)) ? spanish : file
  return `[${name}](${posix.relative('docs', target)})`
}

/** Labs that no entry names: each is a practice of something. */
export function unnamedLabs(ids: readonly string[]): string[] {
  const named = new Set(roadmap.flatMap(({ entries }) => entries.flatMap(({ labs = [] }) => labs)))
  return ids.filter((id) => !named.has(id))
}
