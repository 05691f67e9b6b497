/** Reads, decides, writes what it decided. Whoever wrote in between is overwritten. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

/** One change of one row of the table `accounts (id integer, balance integer, version integer)`; others make theirs meanwhile. */
export interface Account {
  readonly id: number
  /** What the balance is to become, given what it is. Takes a moment. It may be asked again. */
  decide(balance: number): Promise<number>
  /** One statement, on any connection. */
  readonly sql: Sql
  /**
   * Several statements on one connection, between BEGIN and COMMIT. An error rolls everything back and is thrown; the SQLSTATE
   * that PostgreSQL gave is its `code`. It may be called again.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
}

/** Makes the change. When it returns, it must have been made. */
export type Change = (account: Account) => Promise<void>

const blindWrite: Change = async ({ sql, id, decide }) => {
  const [account] = await sql<{ balance: number }>('SELECT balance FROM accounts WHERE id = $1', [id])
  const balance = await decide(account!.balance)
  await sql('UPDATE accounts SET balance = $1 WHERE id = $2', [balance, id])
}

export default blindWrite
