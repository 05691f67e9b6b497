/** Text broken into lines. What is coloured counts as wide as it looks. */
import { stripVTControlCharacters } from 'node:util'

export const widthOf = (text: string): number => stripVTControlCharacters(text).length

export interface ParagraphOptions {
  readonly width: number
  /** Before the first line. */
  readonly first?: string
  /** Before every other line. Defaults to as many spaces as the first one is wide. */
  readonly rest?: string
}

export function paragraph(
  text: string,
  { width, first = '', rest = ' '.repeat(widthOf(first)) }: ParagraphOptions,
): string {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (!isEmpty && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = rest
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line].join('\n')
}
