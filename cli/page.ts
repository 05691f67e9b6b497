/** A page of a list as a table. */
import type { Page } from './http/query.ts'
import { table } from './output.ts'
import type { Shell } from './shell.ts'

export interface PageLayout<Item> {
  readonly head: readonly string[]
  readonly row: (item: Item) => readonly string[]
  readonly right?: readonly number[]
}

export function showPage<Item>(
  { t, output }: Shell,
  page: Page<Item>,
  { head, row, right = [] }: PageLayout<Item>,
): void {
  const { items, nextCursor } = page
  if (items.length === 0 && !output.json) return output.note(t('list.empty'))
  output.result(page, () => table({ head, rows: items.map(row), right, colour: output.colour }))
  if (nextCursor !== null && !output.json) output.note(t('list.next', { cursor: nextCursor }))
}
