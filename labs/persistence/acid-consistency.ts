/** C: two rules of the business, and a program that forgets them: as constraints of the tables, or nowhere. */
import { sqlState } from '@cauce/kit/database/errors'
import type { Letter } from './acid-letter.ts'

export const consistency: Letter = async ({ database, note }, kept) => {
  const { query } = await database()
  await query(
    `CREATE TABLE customers (id text PRIMARY KEY, balance integer NOT NULL ${kept ? 'CHECK (balance >= 0)' : ''})`,
  )
  await query(
    `CREATE TABLE orders (id integer PRIMARY KEY, customer text NOT NULL ${kept ? 'REFERENCES customers' : ''})`,
  )
  await query(`INSERT INTO customers VALUES ('ana', 100)`)
  const attempt = async (statement: string): Promise<string> => {
    try {
      await query(statement)
      return 'done'
    } catch (error) {
      const code = sqlState(error) ?? ''
      const { message } = error as Error
      note({ en: `C: ${code}: ${message}`, es: `C: ${code}: ${message}` })
      return code
    }
  }
  const answers = [
    await attempt(`UPDATE customers SET balance = balance - 60 WHERE id = 'ana'`),
    await attempt(`UPDATE customers SET balance = balance - 60 WHERE id = 'ana'`),
    await attempt(`INSERT INTO orders VALUES (1, 'ana')`),
    await attempt(`INSERT INTO orders VALUES (2, 'nobody')`),
  ]
  const [row] = await query<{ broken: number }>(
    `SELECT (SELECT count(*) FROM customers WHERE balance < 0)::integer
          + (SELECT count(*) FROM orders WHERE customer NOT IN (SELECT id FROM customers))::integer AS broken`,
  )
  const refused = kept ? ['23514', '23503'] : ['done', 'done']
  return { broken: row?.broken ?? 0, works: answers.join() === ['done', refused[0], 'done', refused[1]].join() }
}
