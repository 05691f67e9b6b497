/**
 * A service's tables as data: key, columns, unique sets, row checks. The load and save statements, the memory adapter and
 * the comparison with the migrated schema all come from this one declaration, so the truth is said once.
 *
 * Column names are camelCase here and snake_case in PostgreSQL. Every table has one text key.
 */

export type ColumnKind = 'text' | 'integer' | 'boolean' | 'json' | 'instant'

export interface Column<T> {
  readonly kind: ColumnKind
  readonly nullable: boolean
  /** Only for the compiler: the type of a value of this column. */
  readonly value?: T
}

export const text: Column<string> = { kind: 'text', nullable: false }
/** A safe integer; int8 in PostgreSQL. */
export const integer: Column<number> = { kind: 'integer', nullable: false }
export const boolean: Column<boolean> = { kind: 'boolean', nullable: false }
/** Milliseconds since the epoch; timestamptz in PostgreSQL. */
export const instant: Column<number> = { kind: 'instant', nullable: false }
export const json = <T>(): Column<T> => ({ kind: 'json', nullable: false })
/** A text column that holds one of these. */
export const oneOf = <const T extends string>(..._values: readonly T[]): Column<T> => ({
  kind: 'text',
  nullable: false,
})
export const nullable = <T>(column: Column<T>): Column<T | null> => ({ kind: column.kind, nullable: true })

export type Columns = Readonly<Record<string, Column<unknown>>>
type ValueOf<C> = C extends Column<infer T> ? T : never
export type RowOf<T> = T extends Table<infer Row> ? Row : never
type RowFrom<C extends Columns> = { readonly [Name in keyof C]: ValueOf<C[Name]> }

export interface TableOptions<C extends Columns> {
  readonly key: keyof C & string
  readonly columns: C
  /** Sets of columns that no two rows share. */
  readonly unique?: Readonly<Record<string, readonly (keyof C & string)[]>>
  /** What every row must satisfy; a CHECK of the same name says it in the migration. */
  readonly checks?: Readonly<Record<string, (row: RowFrom<C>) => boolean>>
  /** Columns that never change after the insert: updates do not carry them. */
  readonly fixed?: readonly (keyof C & string)[]
  /** Rows are only ever inserted, and by keys that no other input makes: they need no lock. */
  readonly appendOnly?: boolean
}

/** Names a row that an input needs: locked (`key`) or merely read and possibly stale (`read`). */
export interface RowRef {
  readonly table: Table<object>
  readonly key: string
  readonly lock: boolean
}

export type Change =
  | { readonly kind: 'insert'; readonly table: Table<object>; readonly row: object }
  | { readonly kind: 'update'; readonly table: Table<object>; readonly row: object }
  | { readonly kind: 'remove'; readonly table: Table<object>; readonly key: string }

// The row type appears only in what methods take and give; method syntax keeps Table<Row> assignable to Table<object>.
export interface Table<Row extends object> {
  readonly name: string
  readonly keyColumn: string
  readonly columns: Columns
  readonly unique: Readonly<Record<string, readonly string[]>>
  readonly checks: Readonly<Record<string, (row: never) => boolean>>
  readonly fixed: ReadonlySet<string>
  readonly appendOnly: boolean
  keyOf(row: Row): string
  /** A reference that locks the row. */
  key(key: string): RowRef
  /** A reference that only reads it: it may be stale, so no invariant and no permission may rest on it. */
  read(key: string): RowRef
  insert(row: Row): Change
  /** Replaces the row of the same key. */
  update(row: Row): Change
  remove(key: string): Change
  /** Only for the compiler. */
  readonly row?: Row
}

export function table<const C extends Columns>(name: string, options: TableOptions<C>): Table<RowFrom<C>> {
  type Row = RowFrom<C>
  const self: Table<Row> = {
    name,
    keyColumn: options.key,
    columns: options.columns,
    unique: options.unique ?? {},
    checks: options.checks ?? {},
    fixed: new Set<string>([options.key, ...(options.fixed ?? [])]),
    appendOnly: options.appendOnly ?? false,
    keyOf: (row) => (row as Record<string, unknown>)[options.key] as string,
    key: (key) => ({ table: self, key, lock: true }),
    read: (key) => ({ table: self, key, lock: false }),
    insert: (row) => ({ kind: 'insert', table: self, row }),
    update: (row) => ({ kind: 'update', table: self, row }),
    remove: (key) => ({ kind: 'remove', table: self as unknown as Table<object>, key }),
  }
  return self
}

/** `onHand` → `on_hand`. */
export const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
