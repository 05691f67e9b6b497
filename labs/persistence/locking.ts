/**
 * Optimistic against pessimistic locking, from an account for each writer to one for all: what is lost, what is done again, who
 * waits, and what that does to the throughput. The contention is made in locking-contention.ts.
 */
import { lab } from '../harness/lab.ts'
import { playLevels, type Level } from './locking-contention.ts'
import blindWrite, { type Change } from './locking.naive.ts'

const optimistic: Change = async ({ sql, id, decide }) => {
  for (;;) {
    const [account] = await sql<{ balance: number; version: number }>(
      'SELECT balance, version FROM accounts WHERE id = $1',
      [id],
    )
    const balance = await decide(account!.balance)
    const written = await sql(
      'UPDATE accounts SET balance = $1, version = version + 1 WHERE id = $2 AND version = $3 RETURNING id',
      [balance, id, account!.version],
    )
    if (written.length === 1) return
  }
}

const pessimistic: Change = ({ transaction, id, decide }) =>
  transaction(async (sql) => {
    const [account] = await sql<{ balance: number }>('SELECT balance FROM accounts WHERE id = $1 FOR UPDATE', [id])
    const balance = await decide(account!.balance)
    await sql('UPDATE accounts SET balance = $1 WHERE id = $2', [balance, id])
  })

export const locking = lab<Change>()({
  id: 'locking',
  phase: 2,
  title: { en: 'Optimistic or pessimistic', es: 'Optimista o pesimista' },
  concept: {
    en:
      'Somebody reads a row, decides, and writes. So that nobody writes in between there are two ways. Pessimistic: lock the row ' +
      'while reading, and let the others wait. Optimistic: lock nothing, and write only if the row is still as it was read; else ' +
      'begin again. Both lose nothing. Which one is cheaper depends on how often two want the same row: on the contention.',
    es:
      'Alguien lee una fila, decide y escribe. Para que nadie escriba en medio hay dos caminos. Pesimista: bloquear la fila al leer, y ' +
      'que los demás esperen. Optimista: no bloquear nada y escribir solo si la fila sigue como se leyó; si no, empezar otra vez. ' +
      'Ninguno pierde nada. Cuál sale más barato depende de cuántas veces quieren dos la misma fila: de la contención.',
  },
  watch: {
    en: 'The curves: retries of the one grow much faster with contention than waits of the other. And what happens to throughput.',
    es: 'Las curvas: los reintentos del uno crecen con la contención mucho más que las esperas del otro. Y qué pasa con el rendimiento.',
  },
  parameters: {
    writers: {
      about: { en: 'Writers at the same time', es: 'Escritores a la vez' },
      default: 12,
      small: 6,
      min: 2,
      max: 16,
    },
    changes: {
      about: {
        en: 'Changes that each writer makes for the throughput, at each level',
        es: 'Cambios de cada escritor para medir el rendimiento, en cada nivel',
      },
      default: 10,
      small: 3,
      min: 1,
      max: 30,
    },
    thinkMs: {
      about: {
        en: 'How long a decision takes between reading and writing, in milliseconds',
        es: 'Cuánto tarda una decisión entre leer y escribir, en milisegundos',
      },
      default: 2,
      small: 1,
      min: 0,
      max: 4,
    },
  },
  variants: [
    {
      name: 'blind-write',
      expected: 'fails',
      about: {
        en: 'No lock at all: the last one to write wins, and what the others did is gone.',
        es: 'Sin ningún lock: gana el último que escribe, y lo que hicieron los demás desaparece.',
      },
      code: blindWrite,
    },
    {
      name: 'optimistic',
      expected: 'holds',
      about: {
        en: 'UPDATE … WHERE version = the one that was read. When no row was changed: read and decide again.',
        es: 'UPDATE … WHERE version = la que se leyó. Si no cambió ninguna fila: leer y decidir otra vez.',
      },
      code: optimistic,
    },
    {
      name: 'pessimistic',
      expected: 'holds',
      about: {
        en: 'SELECT … FOR UPDATE in a transaction: whoever comes second waits until the first one has committed.',
        es: 'SELECT … FOR UPDATE en una transacción: el segundo espera hasta que el primero ha confirmado.',
      },
      code: pessimistic,
    },
  ],
  measures: {
    lost: { title: { en: 'lost updates', es: 'actualizaciones perdidas' } },
    retries: { title: { en: 'retries, one row for all', es: 'reintentos, una fila para todos' } },
    waits: { title: { en: 'waits, one row for all', es: 'esperas, una fila para todos' } },
    apart: { title: { en: 'throughput, a row each', es: 'rendimiento, una fila por escritor' }, unit: '/s' },
    together: { title: { en: 'throughput, one row for all', es: 'rendimiento, una fila para todos' }, unit: '/s' },
  },
  production: [
    {
      file: 'kit/database/rows-postgres.ts',
      about: {
        en: 'pessimistic: one statement locks all rows of a batch, so a hot row is locked once for 500 inputs',
        es: 'pesimista: una sentencia bloquea todas las filas del lote, así que una fila caliente se bloquea una vez para 500 entradas',
      },
    },
    {
      file: 'kit/core/precondition.ts',
      about: {
        en: 'optimistic, where a person thinks in between: If-Match with the ETag that was read',
        es: 'optimista, donde una persona piensa en medio: If-Match con el ETag que se leyó',
      },
    },
  ],
  scaffold: 'labs/persistence/locking.naive.ts',

  async run(stage, change) {
    const levels = await playLevels(stage, change)
    const [low, high] = [levels[0]!, levels.at(-1)!]
    const series = (name: string, of: (level: Level) => number) => ({
      name,
      points: levels.map((level) => [level.sharing, of(level)] as const),
    })
    const x = { title: { en: 'writers for each row', es: 'escritores por fila' } }
    stage.chart({
      kind: 'lines',
      title: {
        en: 'One change by each writer, all reading at once',
        es: 'Un cambio de cada escritor, leyendo todos a la vez',
      },
      x,
      y: { title: { en: 'times', es: 'veces' } },
      series: [series('retries', ({ retries }) => retries), series('waits', ({ waits }) => waits)],
    })
    stage.chart({
      kind: 'lines',
      title: { en: 'Throughput, each at its own pace', es: 'Rendimiento, cada uno a su ritmo' },
      x,
      y: { title: { en: 'changes', es: 'cambios' }, unit: '/s' },
      series: [series(stage.variant.name, ({ perSecond }) => perSecond)],
    })
    return {
      // A change that was made twice is no better than one that was lost.
      lost: levels.reduce((sum, { lost }) => sum + Math.abs(lost), 0),
      retries: high.retries,
      waits: high.waits,
      apart: low.perSecond,
      together: high.perSecond,
    }
  },

  fails: ({ lost }) => lost !== 0,
})
