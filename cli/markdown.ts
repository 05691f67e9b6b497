/**
 * A page of the documentation for a terminal: headings, paragraphs, lists, tables, quoted code. Only what our pages use; what it
 * does not know is shown as it is written.
 */
import { table, type Colours, type Output } from './output.ts'
import { paragraph } from './paragraph.ts'

type Look = Pick<Output, 'colour' | 'width'>

interface Block {
  /** How many lines it takes. */
  readonly length: number
  readonly text: string
}

type Reader = (lines: readonly string[], look: Look) => Block | undefined

export function renderMarkdown(source: string, look: Look): string {
  const blocks: string[] = []
  for (let rest = source.split('\n'); rest.length > 0;) {
    if (rest[0]!.trim() === '') {
      rest = rest.slice(1)
      continue
    }
    const { length, text } = readBlock(rest, look)
    blocks.push(text)
    rest = rest.slice(length)
  }
  return blocks.join('\n\n')
}

function readBlock(lines: readonly string[], look: Look): Block {
  for (const read of [readFence, readHeading, readTable, readList]) {
    const block = read(lines, look)
    if (block) return block
  }
  return readParagraph(lines, look)
}

const readFence: Reader = (lines, { colour }) => {
  const info = /^```(.*)$/.exec(lines[0]!)?.[1]
  if (info === undefined) return undefined
  const end = lines.findIndex((line, index) => index > 0 && line.startsWith('```'))
  const length = end < 0 ? lines.length : end + 1
  const file = /file=(\S+)/.exec(info)?.[1]
  const code = lines.slice(1, end < 0 ? undefined : end).map((line) => `${colour.dim('  │')} ${line}`.trimEnd())
  return { length, text: [...(file === undefined ? [] : [colour.dim(`  ${file}`)]), ...code].join('\n') }
}

const readHeading: Reader = (lines, { colour }) => {
  const [, level = '', title = ''] = /^(#+) (.*)$/.exec(lines[0]!) ?? []
  if (level === '') return undefined
  const text = colour.bold(inline(title, colour))
  return { length: 1, text: level === '#' ? colour.underline(text) : text }
}

const readTable: Reader = (lines, { colour }) => {
  const own = takeWhile(lines, (line) => line.startsWith('|'))
  if (own.length < 2 || !/^\|[\s|:-]+\|$/.test(own[1]!)) return undefined
  const [head = [], , ...rows] = own.map((line) =>
    line
      .replace(/^\||\|\s*$/g, '')
      .split('|')
      .map((cell) => inline(cell.trim(), colour)),
  )
  return { length: own.length, text: table({ head, rows, colour }) }
}

const ITEM = /^(\s*)([-*]|\d+\.) +(.*)$/

const readList: Reader = (lines, { colour, width }) => {
  if (!ITEM.test(lines[0]!)) return undefined
  const own = takeWhile(lines, (line) => ITEM.test(line) || /^\s+\S/.test(line))
  const items: { first: string; text: string }[] = []
  for (const line of own) {
    const [, indent = '', sign = '', text = ''] = ITEM.exec(line) ?? []
    if (sign !== '') items.push({ first: `  ${indent}${sign === '-' || sign === '*' ? '•' : sign} `, text })
    else items.at(-1)!.text += ` ${line.trim()}`
  }
  const text = items.map((item) => paragraph(inline(item.text, colour), { width, first: item.first })).join('\n')
  return { length: own.length, text }
}

const startsBlock = (line: string): boolean => line.trim() === '' || /^(```|#+ |\|)/.test(line) || ITEM.test(line)

function readParagraph(lines: readonly string[], { colour, width }: Look): Block {
  const own = [lines[0]!, ...takeWhile(lines.slice(1), (line) => !startsBlock(line))]
  return { length: own.length, text: paragraph(inline(own.map((line) => line.trim()).join(' '), colour), { width }) }
}

function takeWhile(lines: readonly string[], condition: (line: string) => boolean): string[] {
  const end = lines.findIndex((line) => !condition(line))
  return lines.slice(0, end < 0 ? undefined : end)
}

const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|\[([^\]]+)\]\(([^)]+)\)|(?<!\w)_([^_]+)_(?!\w)/g

/** Code keeps its signs where there are no colours to tell it by. */
function inline(text: string, colour: Colours): string {
  return text.replaceAll(
    INLINE,
    (whole, code?: string, bold?: string, link?: string, target?: string, italic?: string) => {
      if (code !== undefined) return colour.isColorSupported ? colour.cyan(code) : whole
      if (bold !== undefined) return colour.bold(inline(bold, colour))
      if (italic !== undefined) return colour.italic(inline(italic, colour))
      const label = inline(link ?? '', colour)
      return /^https?:/.test(target ?? '') ? `${label} (${target})` : label
    },
  )
}
