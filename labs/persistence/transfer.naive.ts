/** Takes from one account, then gives to the other. Whoever is killed between the two has taken and not given. */

/** Two accounts, and one connection to the table `accounts (id, balance)`. */
export interface Bank {
  readonly from: string
  readonly to: string
  /** In cents. */
  readonly amount: number
  /** One statement. The process may be killed before it. */
  sql<Row extends object>(statement: string, values?: readonly unknown[]): Promise<Row[]>
}

/** Moves `amount`; does nothing when there is too little. */
export type Transfer = (bank: Bank) => Promise<void>

const transfer: Transfer = async ({ sql, from, to, amount }) => {
  const debited = await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2 AND balance >= $1 RETURNING id', [
    amount,
    from,
  ])
  if (debited.length === 0) return
  await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
}

export default transfer
