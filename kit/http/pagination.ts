/**
 * Lists: `?limit=1..100&cursor=` in, `{ items, nextCursor }` out. A cursor holds the key of the last row that was given, so pages
 * neither skip nor repeat rows that were there all along, however many are added meanwhile. It is opaque, and a list checks the
 * shape of what it decodes: a cursor of another list, or one that was tampered with, is a 400.
 */

import { Type } from 'typebox'
import type { TProperties, TSchema } from 'typebox'
import { decodeCursor, encodeCursor } from '../core/codec.ts'
import type { Json } from '../core/codec.ts'
import { problem } from './problem.ts'

export const DEFAULT_LIMIT = 50

/** For the documentation. */
const CURSOR = encodeCursor('LAMP')

/** In JSON: U+0000, or half of a surrogate pair (a whole one is not escaped). */
const unstorable = /\\u(0000|d[89a-f])/

export interface PageRequest {
  readonly limit?: number
  readonly cursor?: string
}

/** The query of a list: its own filters, with `limit` and `cursor`. */
export function pageQuery<const Filters extends TProperties>(filters: Filters) {
  return Type.Object(
    {
      ...filters,
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 100, default: DEFAULT_LIMIT, description: 'How many items at most' }),
      ),
      cursor: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 1024,
          description: 'nextCursor of the page before',
          examples: [CURSOR],
        }),
      ),
    },
    { additionalProperties: false },
  )
}

/** The answer of a list. */
export function pageOf<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    nextCursor: Type.Union([Type.String({ examples: [CURSOR] }), Type.Null()], {
      description: 'Where the next page starts; null when this is the last',
    }),
  })
}

/** What the request's cursor holds, undefined without one, or a ProblemError (400) when it is not one of this list's. */
export function cursorOf<Key extends Json>(query: PageRequest, isKey: (value: Json) => value is Key): Key | undefined {
  if (query.cursor === undefined) return undefined
  const value = decodeCursor(query.cursor)
  if (value !== undefined && !unstorable.test(JSON.stringify(value)) && isKey(value)) return value
  throw problem('malformed', 'The cursor is not one of this list. Start again without it')
}

/** The check of a list whose key is one text. */
export function textKey(pattern: RegExp): (value: Json) => value is string {
  return (value): value is string => typeof value === 'string' && pattern.test(value)
}

/** A page from up to `limit + 1` rows: the row too many says that there is a next page and is not given. */
export function pageFrom<Row>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => Json,
): { items: Row[]; nextCursor: string | null } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null }
}
