/**
 * Ids. Only an input's own id is drawn (a UUIDv7 at the edge, so keys grow with time and indexes stay warm); everything a
 * decision makes is derived from it. An entity's ids share one suffix: ord_X is paid by pay_X and shipped by shp_X, so a
 * human follows an order through four services by eye, and a repeated decision makes the same ids.
 */

/** Draws ids. The simulator passes a seeded one. */
export interface IdSource {
  /** 32 lower-case hex digits, ordered by time. */
  draw(): string
}

export const idPattern = (prefix: string): RegExp => new RegExp(`^${prefix}_[0-9a-f]{32}$`)

/** `prefixed('ord', input.id)`: the id of the one entity of that kind this input makes. */
export const prefixed = (prefix: string, suffix: string): string => `${prefix}_${suffix}`

/** The suffix behind the first underscore; an id without one is its own suffix. */
export const suffixOf = (id: string): string => id.slice(id.indexOf('_') + 1)

/** `sibling('pay', 'ord_X')` = `pay_X`. */
export const sibling = (prefix: string, id: string): string => prefixed(prefix, suffixOf(id))
