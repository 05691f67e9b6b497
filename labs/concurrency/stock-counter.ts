/**
 * 100 buyers at the same time, 60 units: read-then-write loses updates, and sells what is not there.
 *
 * The buyers meet after each reading (`gathering`): code that lets many read before one writes does so every time, and code
 * that lets one in at a time passes one by one.
 */
import { Mutex, Semaphore } from 'async-mutex'
import pLimit from 'p-limit'
import { gathering } from '../harness/gathering.ts'
import { lab } from '../harness/lab.ts'
import { statementsOn } from '../harness/statements.ts'
import naive, { type Buy, type Shop } from './stock-counter.naive.ts'

/** How long nobody may come before those who have read go on. */
const PATIENCE_MS = 3

const mutex = new Mutex()
const semaphore = new Semaphore(1)
const queue = pLimit(1)

const rowLock: Buy = ({ transaction }) =>
  transaction(async (sql) => {
    const [stock] = await sql<{ left: number }>('SELECT "left" FROM stock FOR UPDATE')
    if (!stock || stock.left === 0) return false
    await sql('UPDATE stock SET "left" = $1', [stock.left - 1])
    return true
  })

const atomicUpdate: Buy = async ({ sql }) =>
  (await sql('UPDATE stock SET "left" = "left" - 1 WHERE "left" > 0 RETURNING "left"')).length === 1

const optimistic: Buy = async ({ sql }) => {
  for (;;) {
    const [stock] = await sql<{ left: number; version: number }>('SELECT "left", version FROM stock')
    if (!stock || stock.left === 0) return false
    const written = await sql('UPDATE stock SET "left" = $1, version = version + 1 WHERE version = $2 RETURNING 1', [
      stock.left - 1,
      stock.version,
    ])
    if (written.length === 1) return true
  }
}

export const stockCounter = lab<Buy>()({
  id: 'stock-counter',
  phase: 1,
  title: { en: 'A stock counter and 100 buyers', es: 'Un contador de stock y 100 compradores' },
  concept: {
    en:
      'Two requests read “60 left”, both write “59”: two units are sold and one is counted. That is a lost update, the best ' +
      'known race condition. The program is correct for one buyer at a time; what is wrong is that reading and writing are two ' +
      'steps and others can come between them. Each fix makes the two steps one, at a different place.',
    es:
      'Dos peticiones leen «quedan 60» y las dos escriben «59»: se venden dos unidades y se cuenta una. Es una actualización ' +
      'perdida, la race condition más conocida. El programa es correcto con un comprador a la vez; lo que falla es que leer y ' +
      'escribir son dos pasos y otros pueden meterse en medio. Cada arreglo convierte los dos pasos en uno, en un sitio distinto.',
  },
  watch: {
    en: 'Sold + left must be the stock at the start. “Lost” is what was sold without being counted.',
    es: 'Vendidas + restantes debe dar el stock inicial. «Perdidas» son las vendidas que nadie contó.',
  },
  parameters: {
    buyers: {
      about: { en: 'Buyers at the same time, one unit each', es: 'Compradores a la vez, una unidad cada uno' },
      default: 100,
      small: 20,
      min: 2,
      max: 1_000,
    },
    stock: {
      about: { en: 'Units at the start', es: 'Unidades al empezar' },
      default: 60,
      small: 12,
      min: 1,
      max: 1_000,
    },
  },
  variants: [
    {
      name: 'read-then-write',
      expected: 'fails',
      about: { en: 'SELECT, subtract in the program, UPDATE.', es: 'SELECT, restar en el programa, UPDATE.' },
      code: naive,
    },
    {
      name: 'mutex',
      expected: 'holds',
      about: {
        en: 'The same inside a mutex: one at a time in this process. A second process would have a mutex of its own.',
        es: 'Lo mismo dentro de un mutex: uno a la vez en este proceso. Otro proceso tendría su propio mutex.',
      },
      code: (shop) => mutex.runExclusive(() => naive(shop)),
    },
    {
      name: 'semaphore',
      expected: 'holds',
      about: {
        en: 'A semaphore with one permit is a mutex. With two permits it would not protect anything here.',
        es: 'Un semáforo con un permiso es un mutex. Con dos permisos aquí no protegería nada.',
      },
      code: (shop) => semaphore.runExclusive(() => naive(shop)),
    },
    {
      name: 'queue',
      expected: 'holds',
      about: {
        en: 'A queue with one worker: buyers hand in their wish, and nobody touches the stock but the worker.',
        es: 'Una cola con un worker: los compradores entregan su deseo y nadie toca el stock salvo el worker.',
      },
      code: (shop) => queue(() => naive(shop)),
    },
    {
      name: 'row-lock',
      expected: 'holds',
      about: {
        en: 'SELECT … FOR UPDATE: the database makes the second reader wait for the first one’s COMMIT, in every process.',
        es: 'SELECT … FOR UPDATE: la base hace esperar al segundo lector hasta el COMMIT del primero, en todos los procesos.',
      },
      code: rowLock,
    },
    {
      name: 'atomic-update',
      expected: 'holds',
      about: {
        en: 'One statement reads, checks and writes: UPDATE … SET left = left − 1 WHERE left > 0.',
        es: 'Una sola sentencia lee, comprueba y escribe: UPDATE … SET left = left − 1 WHERE left > 0.',
      },
      code: atomicUpdate,
    },
    {
      name: 'optimistic',
      expected: 'holds',
      about: {
        en: 'Write only if the version is still the one that was read; else read again. Nobody waits, some work twice.',
        es: 'Escribir solo si la versión sigue siendo la leída; si no, leer otra vez. Nadie espera, algunos trabajan dos veces.',
      },
      code: optimistic,
    },
  ],
  measures: {
    sold: { title: { en: 'sold', es: 'vendidas' } },
    left: { title: { en: 'left', es: 'restantes' } },
    lost: { title: { en: 'lost', es: 'perdidas' } },
    oversold: { title: { en: 'sold too many', es: 'vendidas de más' } },
    ms: { title: { en: 'time', es: 'tiempo' }, unit: 'ms' },
  },
  production: [
    {
      file: 'services/inventory/decide.ts',
      about: {
        en: 'reserveStock decides on rows that its batch has locked (FOR NO KEY UPDATE), in key order',
        es: 'reserveStock decide sobre filas que su lote ha bloqueado (FOR NO KEY UPDATE), en orden de clave',
      },
    },
    {
      file: 'services/inventory/tables.ts',
      about: {
        en: 'the CHECK 0 ≤ reserved ≤ on_hand: what no bug can get past',
        es: 'el CHECK 0 ≤ reserved ≤ on_hand: lo que ningún error puede saltarse',
      },
    },
  ],
  scaffold: 'labs/concurrency/stock-counter.naive.ts',

  async run({ parameters: { buyers, stock }, clock, timers, database, progress }, buy) {
    const { pool, query } = await database()
    await query('CREATE TABLE stock ("left" integer NOT NULL, version integer NOT NULL DEFAULT 0)')
    await query('INSERT INTO stock VALUES ($1)', [stock])
    const read = gathering(buyers, PATIENCE_MS, timers)
    // Nobody goes on from a read before everybody has read.
    const shop: Shop = statementsOn(pool, async (statement, take) => {
      const rows = await take()
      if (/^\s*select/i.test(statement)) await read.arrive()
      return rows
    })
    const begun = clock.monotonic()
    let answered = 0
    const bought = await Promise.all(
      Array.from({ length: buyers }, async () => {
        const got = await buy(shop)
        progress(++answered, buyers)
        return got
      }),
    )
    const ms = Math.round(clock.monotonic() - begun)
    const sold = bought.filter(Boolean).length
    const [{ left } = { left: 0 }] = await query<{ left: number }>('SELECT "left" FROM stock')
    return { sold, left, lost: sold - (stock - left), oversold: sold - Math.min(buyers, stock), ms }
  },

  // Selling less than there is and is wanted is no fix either.
  fails: ({ lost, oversold }) => lost !== 0 || oversold !== 0,
})
