/**
 * Two transfers in opposite directions lock the same two rows in opposite order: each waits for the other, for ever, if
 * PostgreSQL did not look for cycles and end one of the two.
 * What forces it is in deadlock-rounds.ts.
 */
import { sqlState } from '@cauce/kit/database/errors'
import { lab } from '../harness/lab.ts'
import { playRounds } from './deadlock-rounds.ts'
import naive, { type Transfer } from './deadlock.naive.ts'

const lockOrder: Transfer = ({ transaction, from, to, amount }) =>
  transaction(async (sql) => {
    const changes: [id: string, change: number][] = [
      [from, -amount],
      [to, amount],
    ]
    changes.sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [id, change] of changes) {
      await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [change, id])
    }
  })

const lockFirst: Transfer = ({ transaction, from, to, amount }) =>
  transaction(async (sql) => {
    await sql('SELECT id FROM accounts WHERE id IN ($1, $2) ORDER BY id FOR UPDATE', [from, to])
    await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from])
    await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
  })

const retry: Transfer = async (bank) => {
  for (;;) {
    try {
      return await naive(bank)
    } catch (error) {
      if (sqlState(error) !== '40P01') throw error
    }
  }
}

export const deadlock = lab<Transfer>()({
  id: 'deadlock',
  phase: 1,
  title: { en: 'A deadlock of two transfers', es: 'Un deadlock entre dos transferencias' },
  concept: {
    en:
      'Ana sends money to Ben while Ben sends money to Ana. One transfer locks Ana’s row and wants Ben’s, the other locks Ben’s ' +
      'and wants Ana’s. Each waits for what the other holds, and neither will ever let go: a deadlock. PostgreSQL finds the ' +
      'cycle after a while and ends one of the two transactions with an error. Locks that everybody takes in the same order ' +
      'cannot form a cycle.',
    es:
      'Ana envía dinero a Ben mientras Ben envía dinero a Ana. Una transferencia bloquea la fila de Ana y quiere la de Ben; la ' +
      'otra bloquea la de Ben y quiere la de Ana. Cada una espera lo que tiene la otra y ninguna va a soltarlo: un deadlock ' +
      '(interbloqueo). Al cabo de un rato PostgreSQL encuentra el ciclo y termina una de las dos transacciones con un error. Si ' +
      'todos toman los locks en el mismo orden, no puede haber ciclo.',
  },
  watch: {
    en: 'The note has PostgreSQL’s own words. The timeline shows who waited for whom; “deadlocks” counts the victims.',
    es: 'La nota trae las palabras de PostgreSQL. La línea de tiempo enseña quién esperó a quién; «deadlocks» cuenta las víctimas.',
  },
  parameters: {
    rounds: {
      about: { en: 'Rounds of two opposite transfers', es: 'Rondas de dos transferencias opuestas' },
      default: 10,
      small: 3,
      min: 1,
      max: 20,
    },
    timeout: {
      about: {
        en: 'deadlock_timeout: how long a session waits for a lock before it looks for a cycle, in milliseconds',
        es: 'deadlock_timeout: cuánto espera una sesión por un lock antes de buscar un ciclo, en milisegundos',
      },
      default: 100,
      small: 20,
      min: 10,
      max: 500,
    },
  },
  variants: [
    {
      name: 'opposite-order',
      expected: 'fails',
      about: {
        en: 'First the account that pays, then the one that gets: in opposite directions, opposite orders.',
        es: 'Primero la cuenta que paga y luego la que cobra: en direcciones opuestas, órdenes opuestos.',
      },
      code: naive,
    },
    {
      name: 'lock-order',
      expected: 'holds',
      about: {
        en: 'The same two UPDATEs, the smaller id first, whatever the direction.',
        es: 'Los mismos dos UPDATE, primero el id menor, sea cual sea la dirección.',
      },
      code: lockOrder,
    },
    {
      name: 'lock-first',
      expected: 'holds',
      about: {
        en: 'One statement locks both rows in order (SELECT … ORDER BY id FOR UPDATE); after it any order will do.',
        es: 'Una sentencia bloquea las dos filas en orden (SELECT … ORDER BY id FOR UPDATE); después sirve cualquier orden.',
      },
      code: lockFirst,
    },
    {
      name: 'retry',
      expected: 'holds',
      about: {
        en: 'The opposite order; whoever is made the victim starts again. It gets there, after the wait and with work done twice.',
        es: 'El orden opuesto; la víctima empieza otra vez. Llega, tras la espera y con trabajo hecho dos veces.',
      },
      code: retry,
    },
  ],
  measures: {
    done: { title: { en: 'transfers done', es: 'transferencias hechas' } },
    undone: { title: { en: 'not done', es: 'sin hacer' } },
    deadlocks: { title: { en: 'deadlocks', es: 'deadlocks' } },
    transactions: { title: { en: 'transactions begun', es: 'transacciones empezadas' } },
    longestMs: { title: { en: 'longest transfer', es: 'transferencia más larga' }, unit: 'ms' },
  },
  production: [
    {
      file: 'kit/pipeline/load.ts',
      about: {
        en: 'every transaction locks its rows table by table in one order, and by key within a table',
        es: 'cada transacción bloquea sus filas tabla a tabla en un orden fijo, y por clave dentro de cada tabla',
      },
    },
    {
      file: 'kit/database/errors.ts',
      about: {
        en: 'blame: a deadlock is contention, nobody’s fault, and the whole transaction is run again',
        es: 'blame: un deadlock es contención, no es culpa de nadie, y la transacción entera se repite',
      },
    },
  ],
  scaffold: 'labs/concurrency/deadlock.naive.ts',

  run: playRounds,

  fails: ({ done, due, torn }) => done !== due || torn !== 0,
})
