/**
 * ACID, letter by letter: each guarantee switched off once, with what then happens, and at the end all four together. What each
 * letter tries is in a file of its own; a variant without one plays that letter only.
 */
import { lab, numberOf } from '../harness/lab.ts'
import { atomicity } from './acid-atomicity.ts'
import { consistency } from './acid-consistency.ts'
import { durability } from './acid-durability.ts'
import { isolation } from './acid-isolation.ts'
import type { Letter } from './acid-letter.ts'

const letters = { atomicity, consistency, isolation, durability } satisfies Record<string, Letter>
type LetterName = keyof typeof letters
const all = Object.keys(letters) as LetterName[]

/** `missing`: the letter to do without; without one, all four are kept. */
export const acid = lab<{ readonly missing?: LetterName }>()({
  id: 'acid',
  phase: 2,
  title: { en: 'ACID, letter by letter', es: 'ACID, letra a letra' },
  concept: {
    en:
      'A transaction promises four things. Atomicity: all of its writes or none. Consistency: the rules that the tables declare ' +
      'hold after it. Isolation: others do not disturb it. Durability: what was acknowledged stays, whatever crashes. Each can be ' +
      'missing, by a BEGIN that was not written, a constraint, a level, a setting; and each then breaks in a way of its own.',
    es:
      'Una transacción promete cuatro cosas. Atomicidad: todas sus escrituras o ninguna. Consistencia: tras ella se cumplen las ' +
      'reglas que declaran las tablas. Aislamiento: los demás no la estorban. Durabilidad: lo confirmado se queda, caiga lo que ' +
      'caiga. Cada una puede faltar, por un BEGIN que no se escribió, una restricción, un nivel, un ajuste; y cada una se rompe a ' +
      'su manera.',
  },
  watch: {
    en: 'One row for each letter that is missing, and what broke in its column. The notes tell what PostgreSQL answered.',
    es: 'Una fila por cada letra que falta, y en su columna lo que se rompió. Las notas cuentan lo que respondió PostgreSQL.',
  },
  parameters: {
    commits: {
      about: {
        en: 'Commits that are acknowledged before the server is killed',
        es: 'Commits confirmados antes de matar el servidor',
      },
      default: 50,
      small: 10,
      min: 1,
      max: 200,
    },
  },
  variants: [
    {
      name: 'without-atomicity',
      expected: 'fails',
      about: {
        en: 'Two writes without BEGIN, and a process that is killed between them.',
        es: 'Dos escrituras sin BEGIN, y un proceso que muere entre ellas.',
      },
      code: { missing: 'atomicity' },
    },
    {
      name: 'without-consistency',
      expected: 'fails',
      about: {
        en: 'Tables without CHECK and FOREIGN KEY, and a program that forgot to look.',
        es: 'Tablas sin CHECK ni FOREIGN KEY, y un programa que olvidó comprobar.',
      },
      code: { missing: 'consistency' },
    },
    {
      name: 'without-isolation',
      expected: 'fails',
      about: {
        en: 'Two withdrawals at read committed: both see enough, both take it.',
        es: 'Dos retiradas en read committed: las dos ven bastante y las dos lo sacan.',
      },
      code: { missing: 'isolation' },
    },
    {
      name: 'without-durability',
      expected: 'fails',
      about: {
        en: 'synchronous_commit = off: COMMIT is answered before its record has left the server’s memory. Then the server is killed.',
        es: 'synchronous_commit = off: el COMMIT se responde antes de que su registro salga de la memoria del servidor. Y este muere.',
      },
      code: { missing: 'durability' },
    },
    {
      name: 'acid',
      expected: 'holds',
      about: {
        en: 'BEGIN and COMMIT, constraints, serializable, synchronous_commit = on, under the same kills and interleavings.',
        es: 'BEGIN y COMMIT, restricciones, serializable, synchronous_commit = on, bajo las mismas muertes e intercalados.',
      },
      code: {},
    },
  ],
  measures: {
    atomicity: { title: { en: 'left half done', es: 'a medias' } },
    consistency: { title: { en: 'rules broken', es: 'reglas rotas' } },
    isolation: { title: { en: 'paid too much', es: 'pagado de más' } },
    durability: { title: { en: 'acknowledged and lost', es: 'confirmado y perdido' } },
  },
  production: [
    {
      file: 'kit/database/transaction.ts',
      about: {
        en: 'A: committed means that the tag is COMMIT; a lost answer is unknown and is asked again',
        es: 'A: confirmada quiere decir que la etiqueta es COMMIT; una respuesta perdida es una duda y se vuelve a preguntar',
      },
    },
    {
      file: 'services/payments/migrations/0001_payments.sql',
      about: { en: 'C: the CHECKs that no bug gets past', es: 'C: los CHECK que ningún error se salta' },
    },
    {
      file: 'kit/database/embedded/settings.ts',
      about: {
        en: 'D: fsync, full_page_writes and synchronous_commit are on, and said so',
        es: 'D: fsync, full_page_writes y synchronous_commit activados, y dicho expresamente',
      },
    },
    {
      file: 'kit/database/durability.ts',
      about: {
        en: 'D: read at every start: does an answer to COMMIT mean that it is on the disk? It is shown when it does not',
        es: 'D: se lee en cada arranque: ¿un COMMIT respondido está en el disco? Si no lo está, se avisa',
      },
    },
  ],

  async run(stage, { missing }) {
    const names = missing === undefined ? all : [missing]
    let done = 0
    const found = await Promise.all(
      names.map(async (name) => {
        const { broken, works } = await letters[name](stage, missing === undefined)
        stage.progress(++done, names.length)
        return { name, broken, works }
      }),
    )
    const broken = Object.fromEntries(found.map(({ name, broken }) => [name, broken]))
    return { ...broken, works: found.every(({ works }) => works) }
  },

  fails: (measured) =>
    measured['works'] !== true || all.some((name) => name in measured && numberOf(measured, name) !== 0),
})
