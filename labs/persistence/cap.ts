/**
 * A primary, a standby, and the wire between them cut: answer and lose, or refuse and keep.
 *
 * The writes before the cut are known to be on both. Those after it are sent to the primary, which cannot reach the standby; then
 * the primary is killed and the standby promoted. What was answered with yes and is not there is lost. The clients give up by
 * themselves after a while, as clients do: what was not answered by then counts as refused.
 */
import type { Timers } from '@cauce/kit/core/clock'
import type { Settings } from '@cauce/kit/database/embedded/settings'
import type { LabDatabase } from '../harness/database.ts'
import { lab } from '../harness/lab.ts'
import { median } from '../harness/median.ts'
import type { Stage } from '../harness/stage.ts'
import { startPair, untilTrue } from './pair.ts'

/** What a client waits for an answer, once its write waits for the standby. */
const PATIENCE_MS = 500

/** How the primary is set: what a COMMIT waits for. */
interface Decision {
  readonly settings: Settings
  readonly waits: boolean
}

export const cap = lab<Decision>()({
  id: 'cap',
  phase: 2,
  title: { en: 'CAP: the replication is cut', es: 'CAP: se corta la replicación' },
  concept: {
    en:
      'Two servers keep the same data, so that one may die. Then the network between them breaks, and a write arrives at the ' +
      'one that still hears clients. It can say yes, although nobody else knows of it: when it dies, the write is gone. Or it can ' +
      'refuse until the other is back: nothing is lost, and nobody can write. There is no third answer while the network is ' +
      'broken; that is all that CAP says. Which one is right depends on what the data is, and it has to be decided before.',
    es:
      'Dos servidores guardan los mismos datos, para que uno pueda morir. Entonces se rompe la red entre ellos, y llega una ' +
      'escritura al que aún oye a los clientes. Puede decir que sí, aunque nadie más lo sepa: si muere, la escritura ' +
      'desaparece. O puede negarse hasta que vuelva el otro: no se pierde nada, y nadie puede escribir. Mientras la red está ' +
      'rota no hay una tercera respuesta; eso es todo lo que dice CAP. Cuál es la buena depende de qué datos son, y hay que ' +
      'decidirlo antes.',
  },
  watch: {
    en: '“Lost”: answered with yes, and not there after the failover. “Refused”: not answered in time. One of them is never 0.',
    es: '«Perdidas»: se respondió que sí, y tras el failover no están. «Rechazadas»: sin respuesta a tiempo. Una de las dos nunca es 0.',
  },
  parameters: {
    before: {
      about: { en: 'Writes before the cut', es: 'Escrituras antes del corte' },
      default: 20,
      small: 5,
      min: 1,
      max: 40,
    },
    during: {
      about: { en: 'Writes during the cut', es: 'Escrituras durante el corte' },
      default: 15,
      small: 5,
      min: 1,
      max: 19,
    },
    delayMs: {
      about: {
        en: 'Milliseconds from one server to the other, one way',
        es: 'Milisegundos de un servidor al otro, solo ida',
      },
      default: 10,
      small: 5,
      min: 0,
      max: 50,
    },
  },
  variants: [
    {
      name: 'answer-and-lose',
      expected: 'fails',
      about: {
        en: 'Asynchronous replication, the default: COMMIT waits for the primary’s disk only.',
        es: 'Replicación asíncrona, la de por defecto: COMMIT espera solo al disco del primario.',
      },
      code: { settings: {}, waits: false },
    },
    {
      name: 'refuse-and-keep',
      expected: 'holds',
      about: {
        en: 'synchronous_standby_names: COMMIT waits until the standby has it on its disk too. Without the standby nobody can write.',
        es: 'synchronous_standby_names: COMMIT espera a que el standby también lo tenga en disco. Sin standby nadie puede escribir.',
      },
      code: { settings: { synchronous_standby_names: 'standby' }, waits: true },
    },
  ],
  measures: {
    acknowledged: { title: { en: 'acknowledged', es: 'confirmadas' } },
    lost: { title: { en: 'lost', es: 'perdidas' } },
    refused: { title: { en: 'refused', es: 'rechazadas' } },
    writeMs: { title: { en: 'a write before the cut', es: 'una escritura antes del corte' }, unit: 'ms' },
  },
  production: [
    {
      file: 'kit/database/durability.ts',
      about: {
        en: 'at its start the server looks whether the database may lose what it has acknowledged, and says so',
        es: 'al arrancar, el servidor mira si la base puede perder lo que ha confirmado, y lo dice',
      },
    },
    {
      file: 'kit/database/transaction.ts',
      about: {
        en: 'a COMMIT that comes with a warning does not count as committed',
        es: 'un COMMIT que llega con una advertencia no cuenta como confirmado',
      },
    },
  ],

  async run(stage, { settings, waits }) {
    const { before, during, delayMs } = stage.parameters
    const pair = await startPair({ timers: stage.timers, delayMs })
    stage.closing(() => pair.stop())
    const primary = stage.connectTo(pair.primary)
    const standby = stage.connectTo(pair.standby)
    const line = timelineOf(stage)
    await follow(primary, settings, stage)

    const acknowledged = new Set<number>()
    const write = async (id: number) => {
      await primary.query('INSERT INTO writes VALUES ($1)', [id])
      acknowledged.add(id)
    }
    const times: number[] = []
    for (let id = 1; id <= before; id++) {
      const begun = stage.clock.monotonic()
      await write(id)
      times.push(stage.clock.monotonic() - begun)
      stage.progress(id, before + during)
    }
    await untilTrue(standby.query, `(SELECT count(*) FROM writes) = ${before}`, stage.timers)

    await pair.wire.down()
    line.mark('cut')
    const ids = Array.from({ length: during }, (_, n) => before + 1 + n)
    await patiently(Promise.allSettled(ids.map(write)), during, primary, stage.timers)
    const inTime = [...acknowledged]
    const warning = waits ? await cancelled(stage.connectTo(pair.primary), stage.timers) : undefined
    await noteReads(stage, primary, standby)

    await pair.primary.kill()
    line.mark('killed')
    await standby.query('SELECT pg_promote()')
    line.mark('promoted')
    const there = new Set((await standby.query<{ id: number }>('SELECT id FROM writes')).map(({ id }) => id))
    await standby.query('INSERT INTO writes VALUES (-1)')
    line.draw(waits)
    if (warning !== undefined) noteWarning(stage, warning, there.has(CANCELLED))
    const lost = inTime.filter((id) => !there.has(id)).length
    const refused = before + during - inTime.length
    return { acknowledged: inTime.length, lost, refused, writeMs: median(times), before }
  },

  // Refusing everything from the beginning would lose nothing either.
  fails: ({ lost, acknowledged, before }) => lost !== 0 || Number(acknowledged) < Number(before),
})

/** Sets the primary once the standby follows: before that it would wait for nobody. */
async function follow({ query }: LabDatabase, settings: Settings, { timers }: Pick<Stage, 'timers'>): Promise<void> {
  await untilTrue(query, `SELECT bool_or(state = 'streaming') FROM pg_stat_replication`, timers)
  for (const [name, value] of Object.entries(settings)) await query(`ALTER SYSTEM SET ${name} = '${value}'`)
  await query('SELECT pg_reload_conf()')
  const wanted = Object.keys(settings).length > 0 ? 'sync' : 'async'
  await untilTrue(query, `SELECT bool_and(sync_state = '${wanted}') FROM pg_stat_replication`, timers)
  await query('CREATE TABLE writes (id integer PRIMARY KEY)')
}

/** Resolves when all are answered, or when all have waited for the standby as long as a client waits. */
async function patiently(
  answered: Promise<readonly PromiseSettledResult<void>[]>,
  count: number,
  { query }: LabDatabase,
  timers: Timers,
): Promise<void> {
  let open = true
  void answered.then(() => {
    open = false
  })
  while (open) {
    const waiting = await query(`SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
    if (waiting.length === count) return timers.sleep(PATIENCE_MS)
    await timers.sleep(10)
  }
}

const CANCELLED = 0

/**
 * A write that stops waiting because somebody cancels it: Ctrl-C, or a driver whose timeout sends a cancel request. Gives the
 * warning that comes with its success.
 */
async function cancelled({ connect, query }: LabDatabase, timers: Timers): Promise<string> {
  const client = await connect()
  let warning = ''
  client.on('notice', ({ message, detail }) => {
    warning = [message, detail?.replace(/\.$/, '')].filter(Boolean).join('. ')
  })
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const { pid } = rows[0]!
  const written = client.query('INSERT INTO writes VALUES ($1)', [CANCELLED])
  await untilTrue(query, `SELECT wait_event = 'SyncRep' FROM pg_stat_activity WHERE pid = ${pid}`, timers)
  await query(`SELECT pg_cancel_backend(${pid})`)
  await written
  return warning
}

function noteWarning({ note }: Pick<Stage, 'note'>, warning: string, there: boolean): void {
  const after = there
    ? { en: 'it is there', es: 'está' }
    : {
        en: 'it is not there: whoever overlooks the warning has lost it',
        es: 'no está: quien pase por alto la advertencia la ha perdido',
      }
  note({
    en: `A write whose waiting was cancelled was answered with success, and a warning: “${warning}”. After the failover ${after.en}`,
    es: `Una escritura cuya espera se canceló recibió un éxito, y una advertencia: «${warning}». Tras el failover ${after.es}`,
  })
}

async function noteReads({ note }: Pick<Stage, 'note'>, primary: LabDatabase, standby: LabDatabase): Promise<void> {
  const client = await primary.connect()
  const sql = 'SELECT count(*)::int AS count FROM writes'
  const [here, there] = [(await client.query<{ count: number }>(sql)).rows, await standby.query<{ count: number }>(sql)]
  const [of, on] = [here[0]!.count, there[0]!.count]
  note({
    en: `Whoever reads during the cut sees ${of} writes on the primary and ${on} on the standby`,
    es: `Quien lee durante el corte ve ${of} escrituras en el primario y ${on} en el standby`,
  })
}

/** Who could do what, and when. */
function timelineOf({ clock, chart }: Pick<Stage, 'clock' | 'chart'>) {
  const begun = clock.monotonic()
  const marks = new Map<string, number>()
  const since = () => Math.round(clock.monotonic() - begun)
  return {
    mark: (name: 'cut' | 'killed' | 'promoted') => void marks.set(name, since()),
    draw(waits: boolean): void {
      const [cut = 0, killed = 0, promoted = 0] = ['cut', 'killed', 'promoted'].map((name) => marks.get(name))
      const end = since()
      const span = (from: number, to: number, label: string) => ({ from, to, label })
      chart({
        kind: 'timeline',
        title: { en: 'What each could do', es: 'Lo que podía hacer cada uno' },
        rows: [
          { name: 'wire', spans: [span(0, cut, 'replicates'), span(cut, end, 'cut')] },
          {
            name: 'primary',
            spans: [
              span(0, cut, 'writes'),
              span(cut, killed, waits ? 'waits' : 'writes alone'),
              span(killed, end, 'dead'),
            ],
          },
          {
            name: 'standby',
            spans: [span(0, cut, 'follows'), span(cut, promoted, 'reads only, old'), span(promoted, end, 'writes')],
          },
        ],
      })
    },
  }
}
