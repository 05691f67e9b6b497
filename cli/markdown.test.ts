import colours from 'picocolors'
import { expect, test } from 'vitest'
import { renderMarkdown } from './markdown.ts'
import { paragraph } from './paragraph.ts'

const page = `# A title with \`code\`

A paragraph that is
broken in the source, with **bold _and_ more**, snake_case_names and [a page](isolation.md).

- one item that is long enough
  to go on, with \`a *b* c\`
- another

| name | value |
| ---- | ----- |
| \`a\`  | 1     |

\`\`\`ts file=a/b.ts
const x = '**not bold**'

  return x
\`\`\`
The end: [elsewhere](https://example.com/).`

const plain = `A title with \`code\`

A paragraph that is broken in the
source, with bold and more,
snake_case_names and a page.

  • one item that is long enough to go
    on, with \`a *b* c\`
  • another

name  value
\`a\`   1

  a/b.ts
  │ const x = '**not bold**'
  │
  │   return x

The end: elsewhere
(https://example.com/).`

test('a page for a terminal, as wide as asked', () => {
  expect(renderMarkdown(page, { colour: colours.createColors(false), width: 40 })).toBe(plain)
})

test('with colours the signs give way to them, and nothing else changes', () => {
  const rendered = renderMarkdown(page, { colour: colours.createColors(true), width: 40 })
  expect(rendered).toContain('\u001B[36ma *b* c\u001B[39m')
  expect(rendered).toContain('\u001B[3mand\u001B[23m')
})

test('a word longer than the line has one of its own', () => {
  expect(paragraph('a veryverylongword b', { width: 8, first: '- ' })).toBe('- a\n  veryverylongword\n  b')
})
