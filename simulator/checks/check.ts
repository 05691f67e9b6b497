/** A checker sees every commit as it becomes visible, and the whole at the end. It trusts nothing that the product says of itself. */
import type { MemoryChange, MemoryDatabase } from '@cauce/kit/database/memory'

export type Violate = (invariant: string, message: string) => void

export interface Check {
  /** Right after a commit. */
  committed?(changes: readonly MemoryChange[]): void
  /** When all is quiet. */
  settled?(): void
}

export interface CheckOptions {
  readonly database: MemoryDatabase
  readonly violate: Violate
}

export type Row = Readonly<Record<string, unknown>>

/** Changes of one table, as records. */
export function* of(changes: readonly MemoryChange[], table: string) {
  for (const change of changes) {
    if (change.table === table) {
      yield { key: change.key, before: change.before as Row | undefined, after: change.after as Row | undefined }
    }
  }
}

export const rowsOf = (database: MemoryDatabase, table: string): Row[] =>
  [...database.committed(table).values()] as unknown as Row[]

export const number = (row: Row | undefined, name: string): number => Number(row?.[name] ?? 0)
export const text = (row: Row | undefined, name: string): string => `${(row?.[name] ?? '') as string | number}`
