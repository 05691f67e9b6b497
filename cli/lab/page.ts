/** The page of a lab: docs/labs/<id>.md, or <id>.es.md. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CliError } from '../exit.ts'
import { renderMarkdown } from '../markdown.ts'
import type { Shell } from '../shell.ts'
import type { Lang } from '../texts.ts'

export interface Page {
  /** From the root. */
  readonly name: string
  readonly path: string
  readonly exists: boolean
}

const root = new URL('../../', import.meta.url)

/** The one in the reader's language; the English one where there is none. */
export function pageOf(id: string, lang: Lang): Page {
  const names = [...(lang === 'en' ? [] : [`docs/labs/${id}.${lang}.md`]), `docs/labs/${id}.md`]
  const pages = names.map((name) => {
    const path = fileURLToPath(new URL(name, root))
    return { name, path, exists: existsSync(path) }
  })
  return pages.find(({ exists }) => exists) ?? pages[0]!
}

export function showPage({ t, lang, output }: Shell, id: string): void {
  const { name, path, exists } = pageOf(id, lang)
  if (!exists) throw new CliError(t('lab.noPage', { path: name }))
  const text = readFileSync(path, 'utf8')
  output.result({ id, file: name, text }, () => renderMarkdown(text, output))
}
