/** A: two writes that belong together, and a process that is killed after the first one, or before COMMIT. */
import type { LabDatabase } from '../harness/database.ts'
import { killAt } from '../harness/process.ts'
import type { Letter } from './acid-letter.ts'

/** What acid.child.ts is given: it makes the transfers of these pairs, one after the other. */
export interface PairsInput {
  readonly url: string
  readonly pairs: readonly number[]
  readonly transaction: boolean
}

export const atomicity: Letter = async ({ database, start, note }, kept) => {
  const { url, query } = await database()
  await query(`CREATE TABLE accounts (pair integer, owner text, balance integer NOT NULL, PRIMARY KEY (pair, owner))`)
  // Every point between the first write and the end.
  const points = kept ? ['between the two writes', 'before COMMIT'] : ['between the two writes']
  const attempts = await Promise.all(
    points.map(async (point, number) => {
      const [whole, cut] = [2 * number, 2 * number + 1]
      await query(
        `INSERT INTO accounts SELECT pair, owner, 100 FROM unnest($1::int[]) AS pair, unnest($2::text[]) AS owner`,
        [
          [whole, cut],
          ['ana', 'ben'],
        ],
      )
      const input: PairsInput = { url, pairs: [whole, cut], transaction: kept }
      const killed = await killAt(await start('labs/persistence/acid.child.ts', input), points.length + number)
      if (killed !== point) throw new Error(`Killed at ${killed}, and not ${point}`)
      return { point, whole: await balances(query, whole), cut: await balances(query, cut) }
    }),
  )
  const broken = attempts.filter(({ cut: [ana, ben] }) => ana + ben !== 200)
  for (const { point, cut } of broken) {
    note({
      en: `A: killed ${point}: ${cut.join(' and ')} are left of 100 and 100`,
      es: `A: muerto en «${point}»: de 100 y 100 quedan ${cut.join(' y ')}`,
    })
  }
  return { broken: broken.length, works: attempts.every(({ whole }) => whole.join() === '70,130') }
}

/** FOR UPDATE waits until PostgreSQL has noticed that the process is dead and has rolled back what it left open. */
async function balances(query: LabDatabase['query'], pair: number): Promise<[ana: number, ben: number]> {
  const rows = await query<{ balance: number }>(
    'SELECT balance FROM accounts WHERE pair = $1 ORDER BY owner FOR UPDATE',
    [pair],
  )
  return [rows[0]?.balance ?? 0, rows[1]?.balance ?? 0]
}
