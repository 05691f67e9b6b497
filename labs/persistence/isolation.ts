/**
 * Every anomaly at every level, observed on the running server: two sessions go through a fixed script, and what they saw is
 * compared with what a serial order could have shown. Nothing in the matrix is written down beforehand.
 */
import { lab } from '../harness/lab.ts'
import { databaseAt } from '../harness/database.ts'
import { anomalies, scripts, type AnomalyName, type Script } from './isolation-anomalies.ts'
import { Session, type Level } from './isolation-session.ts'

/** Whether the anomaly was seen; or the SQLSTATE with which PostgreSQL kept it from happening. */
type Cell = boolean | string

interface Observation {
  readonly cell: Cell
  readonly seen: string
  readonly refusal: string
}

async function observe({ serial, play }: Script, one: Session, two: Session): Promise<Observation> {
  const seen = await play(one, two)
  const refusal = one.refusal ?? two.refusal
  const isAnomaly = !serial.includes(seen)
  return { seen, cell: isAnomaly || (refusal?.code ?? false), refusal: refusal?.message ?? '' }
}

export const isolation = lab<Level>()({
  id: 'isolation',
  phase: 2,
  title: { en: 'Six anomalies, four levels', es: 'Seis anomalías, cuatro niveles' },
  concept: {
    en:
      'Transactions that run at the same time can see each other’s half of the work. If each ran alone, one after the other, ' +
      'nothing could go wrong; the level of isolation says how far a database may deviate from that. Each level forbids some ' +
      'anomalies, answers that no serial order could have given, and leaves others to you.',
    es:
      'Las transacciones que corren a la vez pueden ver el trabajo a medias de las otras. Si cada una corriera sola, una detrás de ' +
      'otra, nada podría ir mal; el nivel de aislamiento dice cuánto se puede desviar de eso una base de datos. Cada nivel prohíbe ' +
      'algunas anomalías, respuestas que ningún orden en serie podría haber dado, y te deja a ti las demás.',
  },
  watch: {
    en: 'The table is the matrix: “yes” where the anomaly was seen, 40001 where PostgreSQL refused one of the two instead.',
    es: 'La tabla es la matriz: «sí» donde se vio la anomalía, 40001 donde PostgreSQL rechazó una de las dos en su lugar.',
  },
  parameters: {},
  variants: [
    {
      name: 'read-uncommitted',
      expected: 'fails',
      about: {
        en: 'The weakest level of the SQL standard. In PostgreSQL it is read committed under another name.',
        es: 'El nivel más débil del estándar SQL. En PostgreSQL es read committed con otro nombre.',
      },
      code: 'READ UNCOMMITTED',
    },
    {
      name: 'read-committed',
      expected: 'fails',
      about: {
        en: 'The default: each statement sees what was committed when it began. The next one may see something else.',
        es: 'El de por defecto: cada sentencia ve lo confirmado cuando empezó. La siguiente puede ver otra cosa.',
      },
      code: 'READ COMMITTED',
    },
    {
      name: 'repeatable-read',
      expected: 'fails',
      about: {
        en: 'One snapshot for the whole transaction; writing a row that somebody changed since is refused. Write skew is left.',
        es: 'Una sola instantánea para toda la transacción; escribir una fila que otro cambió después se rechaza. Queda el write skew.',
      },
      code: 'REPEATABLE READ',
    },
    {
      name: 'serializable',
      expected: 'holds',
      about: {
        en: 'The same snapshot, and PostgreSQL watches who read what somebody else wrote. What fits no serial order is refused.',
        es: 'La misma instantánea, y PostgreSQL vigila quién leyó lo que otro escribió. Lo que no cabe en ningún orden en serie se rechaza.',
      },
      code: 'SERIALIZABLE',
    },
  ],
  measures: {
    'dirty-read': { title: { en: 'dirty read', es: 'dirty read' } },
    'non-repeatable-read': { title: { en: 'non-repeatable read', es: 'non-repeatable read' } },
    phantom: { title: { en: 'phantom', es: 'phantom' } },
    'lost-update': { title: { en: 'lost update', es: 'lost update' } },
    'read-skew': { title: { en: 'read skew', es: 'read skew' } },
    'write-skew': { title: { en: 'write skew', es: 'write skew' } },
  },
  production: [
    {
      file: 'kit/database/rows-postgres.ts',
      about: {
        en: 'the pipeline works at read committed and locks the rows it decides on: no decision rests on a row that may change',
        es: 'la tubería trabaja en read committed y bloquea las filas sobre las que decide: ninguna decisión se apoya en una fila que pueda cambiar',
      },
    },
    {
      file: 'kit/database/snapshot.ts',
      about: {
        en: 'the audit reads everything in one repeatable read snapshot, so no transfer is seen half way',
        es: 'la auditoría lo lee todo en una instantánea repeatable read, así que no ve ninguna transferencia a la mitad',
      },
    },
  ],

  async run({ variant, database, closing, timers, chart, note, progress }, level) {
    const { url, connect } = await database()
    const { query } = databaseAt(url, closing, 2)
    await query('CREATE TABLE accounts (id text PRIMARY KEY, owner text NOT NULL, balance integer NOT NULL)')
    await query('CREATE TABLE doctors (id text PRIMARY KEY, on_call boolean NOT NULL)')
    const [first, second] = [await connect(), await connect()]
    const seen = new Map<AnomalyName, Observation>()
    for (const name of anomalies) {
      await query('TRUNCATE accounts, doctors')
      await query(`INSERT INTO accounts VALUES ('a', 'ana', 100), ('b', 'ana', 100)`)
      await query(`INSERT INTO doctors VALUES ('ana', true), ('ben', true)`)
      const session = (client: typeof first) => new Session(client, level, query, timers)
      seen.set(name, await observe(scripts[name], session(first), session(second)))
      progress(seen.size, anomalies.length)
    }
    const refusals = [...seen].filter(([, { refusal }]) => refusal !== '')
    for (const [name, { refusal }] of refusals)
      note({ en: `${name}: 40001: ${refusal}`, es: `${name}: 40001: ${refusal}` })
    chart({
      kind: 'table',
      title: { en: `What two sessions saw: ${variant.name}`, es: `Lo que vieron dos sesiones: ${variant.name}` },
      columns: [
        { en: 'anomaly', es: 'anomalía' },
        { en: 'one after the other', es: 'una tras otra' },
        { en: 'observed', es: 'observado' },
        { en: 'refused and run again', es: 'rechazada y repetida' },
      ],
      rows: [...seen].map(([name, { seen: got, cell }]) => [
        name,
        scripts[name].serial.join(' / '),
        `${cell === true ? '✗ ' : ''}${got}`,
        typeof cell === 'string' ? cell : '',
      ]),
    })
    return Object.fromEntries([...seen].map(([name, { cell }]) => [name, cell]))
  },

  fails: (measured) => anomalies.some((name) => measured[name] === true),
})
