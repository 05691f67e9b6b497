/**
 * What every book keeps its rows in: each under its key, those about the same thing linked to each other, and a list that is
 * read in pages.
 *
 * K1. A row enters the list when it first is one for it, at the end, and stays: pages never shift.
 * K2. `rows` gives an order from which `put` makes the same list again.
 */
export interface KeyedRowsOptions<Row> {
  /** What the row is about, by the caller's own reference; null when it does not say. The same for ever under one key. */
  about(row: Row): string | null
  /** Whether it is one for the list. Once true under a key, true for ever. */
  isListed(row: Row): boolean
}

/** An entry is its row, and the link to the entry about the same thing that was there before it. */
interface Entry<Row> {
  row: Row
  readonly earlier: Entry<Row> | undefined
}

export class KeyedRows<Row extends { readonly key: string }> {
  readonly #options: KeyedRowsOptions<Row>
  readonly #byKey = new Map<string, Entry<Row>>()
  readonly #latest = new Map<string, Entry<Row>>()
  readonly #listed: Entry<Row>[] = []

  constructor(options: KeyedRowsOptions<Row>) {
    this.#options = options
  }

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): Row | undefined {
    return this.#byKey.get(key)?.row
  }

  put(row: Row): void {
    const known = this.#byKey.get(row.key)
    const wasListed = known !== undefined && this.#options.isListed(known.row)
    const entry = known ?? this.#enter(row)
    entry.row = row
    if (!wasListed && this.#options.isListed(row)) this.#listed.push(entry)
  }

  #enter(row: Row): Entry<Row> {
    const reference = this.#options.about(row)
    const entry = { row, earlier: reference === null ? undefined : this.#latest.get(reference) }
    this.#byKey.set(row.key, entry)
    if (reference !== null) this.#latest.set(reference, entry)
    return entry
  }

  *rows(): Generator<Row> {
    for (const { row } of this.#listed) yield row
    for (const { row } of this.#byKey.values()) if (!this.#options.isListed(row)) yield row
  }

  /** Of the list, oldest first. */
  page(offset: number, limit: number): Row[] {
    return this.#listed.slice(offset, offset + limit).map(({ row }) => row)
  }

  /** The listed rows about one thing, in the order their keys were first seen. */
  about(reference: string): Row[] {
    return chain(this.#latest.get(reference))
      .filter((row) => this.#options.isListed(row))
      .toReversed()
  }

  /** For everything that several rows are about, those rows, newest first. */
  *shared(): Generator<Row[]> {
    for (const latest of this.#latest.values()) if (latest.earlier) yield chain(latest)
  }
}

/** Newest first. */
function chain<Row>(latest: Entry<Row> | undefined): Row[] {
  const rows: Row[] = []
  for (let entry = latest; entry; entry = entry.earlier) rows.push(entry.row)
  return rows
}
