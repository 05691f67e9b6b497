/** Reads how many are left, then writes one less. Between the two somebody else may have done the same. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

/** What a buyer has: the table `stock` has one row, with the column `"left"`. */
export interface Shop {
  /** One statement, on any connection. */
  readonly sql: Sql
  /** Several statements on one connection, between BEGIN and COMMIT. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
}

/** Buys one unit; answers whether there was one. */
export type Buy = (shop: Shop) => Promise<boolean>

const buy: Buy = async ({ sql }) => {
  const [stock] = await sql<{ left: number }>('SELECT "left" FROM stock')
  if (!stock || stock.left === 0) return false
  await sql('UPDATE stock SET "left" = $1', [stock.left - 1])
  return true
}

export default buy
