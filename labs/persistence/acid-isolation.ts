/** I: two withdrawals from one account; both look whether there is enough before either writes. */
import { sqlState } from '@cauce/kit/database/errors'
import { accessOf } from '../harness/access.ts'
import type { Statements } from '../harness/statements.ts'
import { databaseAt } from '../harness/database.ts'
import { Lockstep } from '../harness/lockstep.ts'
import type { Letter } from './acid-letter.ts'

const START = 100
const AMOUNT = 80

export const isolation: Letter = async ({ database, closing, timers, note }, kept) => {
  const { url, pool } = await database()
  const { query } = databaseAt(url, closing, 2)
  await query('CREATE TABLE account (balance integer NOT NULL)')
  await query('INSERT INTO account VALUES ($1)', [START])
  const steps = new Lockstep(2, { query, timers })
  const paid = await Promise.all(
    steps.parties.map(async (party) => {
      const access = accessOf(pool, party, {
        async around({ text }, run) {
          const result = await run()
          if (text.startsWith('SELECT')) await party.meet()
          return result
        },
      })
      const got = await withdraw(access, kept, (message) =>
        note({ en: `I: 40001: ${message}`, es: `I: 40001: ${message}` }),
      )
      party.end()
      return got
    }),
  )
  const out = paid.filter(Boolean).length * AMOUNT
  if (out > START) {
    note({
      en: `I: ${out} were paid from an account that had ${START}`,
      es: `I: se han pagado ${out} de una cuenta que tenía ${START}`,
    })
  }
  return { broken: Math.max(0, out - START), works: out >= AMOUNT }
}

/** Whether there was enough. Without the guarantee at read committed, the default. */
async function withdraw(
  { transaction }: Statements,
  kept: boolean,
  refused: (message: string) => void,
): Promise<boolean> {
  for (;;) {
    try {
      return await transaction(async (sql) => {
        if (kept) await sql('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE')
        const [account] = await sql<{ balance: number }>('SELECT balance FROM account')
        if (!account || account.balance < AMOUNT) return false
        await sql('UPDATE account SET balance = $1', [account.balance - AMOUNT])
        return true
      })
    } catch (error) {
      if (sqlState(error) !== '40001') throw error
      refused((error as Error).message)
    }
  }
}
