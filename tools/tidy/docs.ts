/** Rules on the documentation: what it links to is there, and what it quotes is what the file says. */

import { posix } from 'node:path'
import type { SourceFile } from '../source-files.ts'
import type { Rule, Violation } from './rule.ts'

const documents = (files: readonly SourceFile[]): readonly SourceFile[] =>
  files.filter(({ path }) => path.endsWith('.md'))

interface Fence {
  /** The line of the opening fence, counted from 1. */
  readonly line: number
  readonly info: string
  readonly text: string
}

interface Parts {
  readonly fences: readonly Fence[]
  /** What stands outside of fences, with empty lines in their place. */
  readonly prose: readonly string[]
}

/** A fence may be indented, as in a list: its lines lose that much. */
function partsOf(text: string): Parts {
  const fences: Fence[] = []
  let open: { line: number; info: string; indent: number; mark: string; lines: string[] } | undefined
  const prose = text.split('\n').map((line, at) => {
    const [, indent = '', mark = '', info = ''] = /^( *)(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    if (!open) {
      if (mark === '') return line
      open = { line: at + 1, info: info.trim(), indent: indent.length, mark, lines: [] }
    } else if (mark.startsWith(open.mark) && info.trim() === '') {
      fences.push({ line: open.line, info: open.info, text: open.lines.join('\n') })
      open = undefined
    } else open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)))
    return ''
  })
  return { fences, prose }
}

/** GitHub's: lower case, without punctuation, hyphens for spaces. */
const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

const anchorsOf = (text: string): Set<string> =>
  new Set(partsOf(text).prose.flatMap((line) => /^#{1,6} +(.*)$/.exec(line)?.slice(1, 2).map(anchorOf) ?? []))

/** Code spans hide brackets; a link's own text may be one. */
const linkPattern = /\]\(<?([^()\s>]+)>?(?: "[^"]*")?\)/g
const isElsewhere = (target: string): boolean => /^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target)

export const relativeLinks: Rule = {
  name: 'links lead somewhere',
  reason: 'A link that leads nowhere says that nobody has followed it since something was moved.',
  check(files) {
    const texts = new Map(files.map(({ path, text }) => [path, text]))
    const folders = new Set(files.flatMap(({ path }) => foldersOf(path)))
    const problemOf = (from: string, target: string): string | undefined => {
      const [path = '', anchor] = target.split('#')
      const to = path === '' ? from : posix.join(posix.dirname(from), decodeURI(path)).replace(/\/$/, '')
      if (path.startsWith('/')) return 'begins at the root of a site: name it relative to this file'
      if (!texts.has(to) && !folders.has(to)) return `there is no ${to}`
      if (anchor === undefined || !to.endsWith('.md')) return undefined
      return anchorsOf(texts.get(to) ?? '').has(anchor) ? undefined : `${to} has no heading #${anchor}`
    }
    return documents(files).flatMap(({ path, text }) =>
      partsOf(text).prose.flatMap((line, at) =>
        [...line.matchAll(linkPattern)].flatMap(([, target = '']): Violation[] => {
          const problem = isElsewhere(target) ? undefined : problemOf(path, target)
          return problem === undefined ? [] : [{ path, line: at + 1, what: `“${target}”: ${problem}` }]
        }),
      ),
    )
  },
  violating: [
    { files: { 'README.md': '\nSee [it](docs/gone.md).' }, at: ['README.md:2'] },
    { files: { 'docs/a.md': '[a](b.md) [c](../kit/c.ts)', 'docs/b.md': '' }, at: ['docs/a.md:1'] },
    { files: { 'docs/a.md': '[up](#there)\n# Here' }, at: ['docs/a.md:1'] },
    { files: { 'docs/a.md': '[b](b.md#two)', 'docs/b.md': '# One\n```\n# Two\n```' }, at: ['docs/a.md:1'] },
    { files: { 'docs/a.md': '[b](/docs/b.md)', 'docs/b.md': '' }, at: ['docs/a.md:1'] },
  ],
  passing: [
    {
      'README.md': '[a](docs/a.md#how-it-works-here) [folder](docs/) ![picture](docs/picture.svg) [`code`](docs/a.md)',
      'docs/a.md': '## How it works, *here*\n[back](../README.md) [up](#how-it-works-here)',
      'docs/picture.svg': '',
    },
    { 'docs/a.md': 'https://example.com [there](https://example.com/a.md) [mail](mailto:a@example.com)' },
    { 'docs/a.md': '```md\n[a](gone.md)\n```' },
    { 'kit/a.ts': '// [a](gone.md)' },
  ],
}

function foldersOf(path: string): string[] {
  const folder = posix.dirname(path)
  return folder === '.' ? [] : [folder, ...foldersOf(folder)]
}

/** Whether these lines stand in the source, one behind the other; what is quoted from within a block may stand less deep. */
function says(source: string, quoted: string): boolean {
  const deeper = (by: number) => quoted.replaceAll(/^(?=.)/gm, ' '.repeat(by))
  return [0, 2, 4, 6, 8].some((by) => `\n${source}\n`.includes(`\n${deeper(by)}\n`))
}

export const quotes: Rule = {
  name: 'what is quoted is what the file says',
  reason: 'A block of code that names its file (```ts file=kit/a.ts) is compiled and tested there, and nowhere else.',
  check(files) {
    const texts = new Map(files.map(({ path, text }) => [path, text]))
    return documents(files).flatMap(({ path, text }) =>
      partsOf(text).fences.flatMap(({ line, info, text: quoted }): Violation[] => {
        const [, file] = /(?:^|\s)file=(\S+)/.exec(info) ?? []
        if (file === undefined) return []
        const source = texts.get(file)
        if (source === undefined) return [{ path, line, what: `quotes ${file}, which is not there` }]
        if (quoted.trim() !== '' && says(source, quoted)) return []
        return [{ path, line, what: `is not what ${file} says: quote it as it is` }]
      }),
    )
  },
  violating: [
    { files: { 'docs/a.md': '# A\n```ts file=kit/a.ts\na()\n```' }, at: ['docs/a.md:2'] },
    { files: { 'docs/a.md': '```ts file=kit/a.ts\na()\n```', 'kit/a.ts': 'b()\n' }, at: ['docs/a.md:1'] },
    { files: { 'docs/a.md': '```ts file=kit/a.ts\na()\n```', 'kit/a.ts': 'aa()\n' }, at: ['docs/a.md:1'] },
    { files: { 'docs/a.md': '```ts file=kit/a.ts\n```', 'kit/a.ts': 'a()\n' }, at: ['docs/a.md:1'] },
    { files: { 'docs/a.md': '```ts file=kit/a.ts\na()\nb()\n```', 'kit/a.ts': 'a()\n  b()\n' }, at: ['docs/a.md:1'] },
  ],
  passing: [
    { 'docs/a.md': '```ts file=kit/a.ts\n  b()\n  c()\n```', 'kit/a.ts': 'a(\n  b()\n  c()\n)\n' },
    { 'docs/a.md': '```ts file=kit/a.ts\nb(\n  c)\n```', 'kit/a.ts': 'a(\n  b(\n    c)\n)\n' },
    { 'docs/a.md': '1. So:\n\n   ```ts file=kit/a.ts\n   a(\n     b)\n   ```', 'kit/a.ts': 'a(\n  b)\n' },
    { 'docs/a.md': '```ts\nanything()\n```\n\n~~~sh\n```\n~~~' },
  ],
}
