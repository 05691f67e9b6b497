/** The port through which the pipeline loads and saves rows of declared tables inside one transaction. */
import type { Table } from './table.ts'

export interface RowStore {
  /**
   * The rows with these keys, those that exist. With `lock` they stay locked against other writers until the end of the
   * transaction, taken in key order; without it they may be stale.
   */
  load(table: Table<object>, keys: readonly string[], lock: boolean): Promise<object[]>
  /**
   * Removes, updates and inserts in that order, so that what one row gives up another may take. Rejects on a violated
   * constraint, and with EncodingError on a value that its column cannot hold.
   */
  save(table: Table<object>, changes: RowChanges): Promise<void>
}

/** Each in key order. */
export interface RowChanges {
  readonly inserted: readonly object[]
  readonly updated: readonly object[]
  readonly removed: readonly string[]
}
