/**
 * A balance transfer without a transaction, killed half way: money is gone. With one: it never is.
 *
 * The transfer runs in a process of its own, which is killed (kill -9) before its first statement, then before its second, and
 * so on until one attempt comes to its end. Nothing depends on luck: every place where it can be cut is cut.
 */
import type { VariantReference } from '../harness/stage.ts'
import type { LabDatabase } from '../harness/database.ts'
import { lab } from '../harness/lab.ts'
import { crashEverywhere } from '../harness/process.ts'
import naive, { type Transfer } from './transfer.naive.ts'

/** What the process that transfers is given (transfer.child.ts). */
export interface TransferInput {
  readonly url: string
  readonly variant: VariantReference
  readonly amount: number
}

const inTransaction: Transfer = async (bank) => {
  await bank.sql('BEGIN')
  await naive(bank)
  await bank.sql('COMMIT')
}

const oneStatement: Transfer = async ({ sql, from, to, amount }) => {
  await sql(
    `UPDATE accounts SET balance = balance + CASE id WHEN $1 THEN -$3::integer ELSE $3 END
     WHERE id IN ($1, $2) AND (SELECT balance FROM accounts WHERE id = $1) >= $3`,
    [from, to, amount],
  )
}

export const transfer = lab<Transfer>()({
  id: 'transfer',
  phase: 2,
  title: { en: 'A transfer, killed half way', es: 'Una transferencia, cortada a la mitad' },
  concept: {
    en:
      'A transfer takes from one account and gives to another: two writes. A process can die between any two of its steps, by a ' +
      'deployment, a full memory, a power cut. Without a transaction what it has written so far stays, and the money is nowhere. ' +
      'A transaction makes several writes one: after COMMIT all are there, before it none is, whenever the process dies.',
    es:
      'Una transferencia quita de una cuenta y pone en otra: dos escrituras. Un proceso puede morir entre dos pasos cualesquiera, ' +
      'por un despliegue, falta de memoria o un corte de luz. Sin transacción lo ya escrito se queda, y el dinero no está en ' +
      'ninguna parte. Una transacción convierte varias escrituras en una: tras el COMMIT están todas, antes ninguna, muera ' +
      'cuando muera el proceso.',
  },
  watch: {
    en: 'The sum of both accounts after each kill. “Lost” adds up what was missing.',
    es: 'La suma de las dos cuentas después de cada muerte. «Perdido» suma lo que faltó.',
  },
  parameters: {
    amount: {
      about: { en: 'What is transferred, in cents', es: 'Lo que se transfiere, en céntimos' },
      default: 3_000,
      small: 3_000,
      min: 1,
      max: 10_000,
    },
  },
  variants: [
    {
      name: 'two-statements',
      expected: 'fails',
      about: { en: 'Two UPDATEs, each its own transaction.', es: 'Dos UPDATE, cada uno su propia transacción.' },
      code: naive,
    },
    {
      name: 'transaction',
      expected: 'holds',
      about: {
        en: 'The same two between BEGIN and COMMIT. When the connection dies, PostgreSQL rolls back.',
        es: 'Los mismos dos entre BEGIN y COMMIT. Si la conexión muere, PostgreSQL deshace.',
      },
      code: inTransaction,
    },
    {
      name: 'one-statement',
      expected: 'holds',
      about: {
        en: 'One UPDATE for both rows: a single statement is a transaction by itself.',
        es: 'Un UPDATE para las dos filas: una sentencia sola es una transacción por sí misma.',
      },
      code: oneStatement,
    },
  ],
  measures: {
    kills: { title: { en: 'kills', es: 'muertes' } },
    broken: { title: { en: 'left half done', es: 'a medias' } },
    lost: { title: { en: 'lost (cents)', es: 'perdido (céntimos)' } },
    arrived: { title: { en: 'arrived undisturbed', es: 'llegó sin molestias' } },
  },
  production: [
    {
      file: 'services/payments/decide-accounts.ts',
      about: {
        en: 'a transfer is one double entry, decided and saved in the pipeline’s transaction',
        es: 'una transferencia es un asiento doble, decidido y guardado en la transacción de la tubería',
      },
    },
    {
      file: 'kit/pipeline/pipeline.ts',
      about: { en: 'the one transaction everything goes through', es: 'la única transacción por la que pasa todo' },
    },
  ],
  scaffold: 'labs/persistence/transfer.naive.ts',

  async run({ parameters: { amount }, variant, database, start, note }) {
    const { url, query } = await database()
    await query('CREATE TABLE accounts (id text PRIMARY KEY, balance integer NOT NULL CHECK (balance >= 0))')
    const found = { kills: 0, broken: 0, lost: 0, arrived: 0 }
    const begin = async () => {
      await query(`INSERT INTO accounts VALUES ('ana', 10000), ('ben', 10000)
                   ON CONFLICT (id) DO UPDATE SET balance = excluded.balance`)
      const input: TransferInput = { url, variant, amount }
      return start('labs/persistence/transfer.child.ts', input)
    }
    await crashEverywhere(begin, async (point) => {
      const [ana, ben] = await balances(query)
      if (point === undefined) return void (found.arrived = ben - 10_000)
      found.kills += 1
      if (ana + ben === 20_000) return
      found.broken += 1
      found.lost += 20_000 - ana - ben
      note({
        en: `Killed before “${point}”: ${20_000 - ana - ben} cents are in no account`,
        es: `Muerto antes de «${point}»: ${20_000 - ana - ben} céntimos no están en ninguna cuenta`,
      })
    })
    return { ...found, due: amount }
  },

  fails: ({ broken, arrived, due }) => broken !== 0 || arrived !== due,
})

/** FOR UPDATE waits until PostgreSQL has noticed that the process is dead and has rolled back what it left open. */
async function balances(query: LabDatabase['query']): Promise<[number, number]> {
  const rows = await query<{ balance: number }>('SELECT balance FROM accounts ORDER BY id FOR UPDATE')
  return [rows[0]?.balance ?? 0, rows[1]?.balance ?? 0]
}
