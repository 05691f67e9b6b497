/** Takes from one account, then gives to the other. Two of these in opposite directions wait for each other. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

/** A transfer between two rows of the table `accounts (id text, balance integer)`; there is enough on both. */
export interface Bank {
  readonly from: string
  readonly to: string
  /** In cents. */
  readonly amount: number
  /**
   * Several statements on one connection, between BEGIN and COMMIT. An error rolls everything back and is thrown; the SQLSTATE
   * that PostgreSQL gave is its `code`. It may be called again.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
}

/** Moves `amount`, whole. */
export type Transfer = (bank: Bank) => Promise<void>

const transfer: Transfer = ({ transaction, from, to, amount }) =>
  transaction(async (sql) => {
    await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from])
    await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
  })

export default transfer
