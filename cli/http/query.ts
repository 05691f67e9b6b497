/** Lists: what is asked for and what comes. */

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}

export interface PageQuery {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
  readonly status?: string | undefined
}

/** The query of a URL: the members that have a value, `?a=1&b=2`. */
export function queryOf(query: object): string {
  const set = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) set.append(name, String(value))
  return set.size === 0 ? '' : `?${set.toString()}`
}
