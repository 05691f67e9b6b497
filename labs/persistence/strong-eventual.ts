/**
 * A price is written on the primary and read, at once, on a standby: the reader is told the old one.
 *
 * The standby's replay is paused before each write, and goes on when the reader has been answered, or has waited `lagMs` for it
 * (`Lag`): what is read from the standby without waiting is old every time, however fast or slow the machine is.
 */
import type { Timers } from '@cauce/kit/core/clock'
import type { LabDatabase } from '../harness/database.ts'
import { lab } from '../harness/lab.ts'
import { median } from '../harness/median.ts'
import { lendPair, untilTrue } from './pair.ts'
import naive, { type Connect, type Servers, type Sql } from './strong-eventual.naive.ts'

/** How long a stale reader is asked again; once, when it never learns. */
const GIVE_UP_MS = 2_000

const readPrimary: Connect = ({ primary, standby }) => ({
  ...naive({ primary, standby }),
  async read() {
    const [lamp] = await primary<{ price: number }>('SELECT price FROM prices')
    return lamp!.price
  },
})

const waitForPosition: Connect = ({ primary, standby }) => ({
  async write(price) {
    await primary('UPDATE prices SET price = $1', [price])
    const [log] = await primary<{ position: string }>('SELECT pg_current_wal_lsn() AS position')
    return log!.position
  },
  async read(token) {
    for (;;) {
      const [log] = await standby<{ there: boolean }>('SELECT pg_last_wal_replay_lsn() >= $1 AS there', [token])
      if (log!.there) break
      await standby('SELECT pg_sleep(0.005)')
    }
    const [lamp] = await standby<{ price: number }>('SELECT price FROM prices')
    return lamp!.price
  },
})

const remoteApply: Connect = ({ primary, standby }) => ({
  ...naive({ primary, standby }),
  async write(price) {
    await primary('SET synchronous_commit = remote_apply')
    await primary('UPDATE prices SET price = $1', [price])
    return undefined
  },
})

export const strongEventual = lab<Connect>()({
  id: 'strong-eventual',
  phase: 2,
  title: { en: 'Read after write, on a copy', es: 'Leer tras escribir, en una copia' },
  concept: {
    en:
      'A copy takes reads off the primary, and is always a little behind: it is eventually consistent, right once it has ' +
      'caught up, and nobody promises when. Whoever has just written and reads there sees their own change missing, and presses ' +
      'the button again. Strong consistency means that a read sees every write that was answered before it. It costs either the ' +
      'primary’s time, or waiting; a token that says how far one’s own write had come makes only those wait who need it.',
    es:
      'Una copia le quita lecturas al primario, y va siempre un poco por detrás: tiene consistencia eventual, está bien cuando ' +
      'se ha puesto al día, y nadie promete cuándo. Quien acaba de escribir y lee ahí no ve su propio cambio, y vuelve a pulsar ' +
      'el botón. Consistencia fuerte significa que una lectura ve toda escritura respondida antes. Cuesta o tiempo del primario, ' +
      'o espera; un token que dice hasta dónde llegó la propia escritura hace esperar solo a quien lo necesita.',
  },
  watch: {
    en: '“Stale” are reads that were told the old price. Then see who waits: the reader, the writer, or the primary with more work.',
    es: '«Viejas» son lecturas que recibieron el precio antiguo. Mira luego quién paga: el lector, el escritor, o el primario con más trabajo.',
  },
  parameters: {
    writes: {
      about: { en: 'Writes, each read at once', es: 'Escrituras, cada una leída al momento' },
      default: 8,
      small: 3,
      min: 1,
      max: 15,
    },
    lagMs: {
      about: { en: 'Milliseconds that the standby is behind', es: 'Milisegundos que el standby va por detrás' },
      default: 120,
      small: 50,
      min: 20,
      max: 200,
    },
  },
  variants: [
    {
      name: 'read-standby',
      expected: 'fails',
      about: {
        en: 'Write on the primary, read on the standby, whatever it has.',
        es: 'Escribir en el primario, leer en el standby, tenga lo que tenga.',
      },
      code: naive,
    },
    {
      name: 'read-primary',
      expected: 'holds',
      about: {
        en: 'Read where it was written. Right, and the standby takes no work off anybody.',
        es: 'Leer donde se escribió. Correcto, y el standby no le quita trabajo a nadie.',
      },
      code: readPrimary,
    },
    {
      name: 'wait-for-position',
      expected: 'holds',
      about: {
        en: 'The write gives its position in the log; the read waits until the standby has replayed that much.',
        es: 'La escritura da su posición en el log; la lectura espera a que el standby haya aplicado hasta ahí.',
      },
      code: waitForPosition,
    },
    {
      name: 'remote-apply',
      expected: 'holds',
      about: {
        en: 'synchronous_commit = remote_apply: the write is not answered before the standby shows it.',
        es: 'synchronous_commit = remote_apply: la escritura no se responde hasta que el standby la muestra.',
      },
      code: remoteApply,
    },
  ],
  measures: {
    stale: { title: { en: 'stale', es: 'viejas' } },
    behindMs: { title: { en: 'behind, at most', es: 'retraso máximo' }, unit: 'ms' },
    writeMs: { title: { en: 'a write', es: 'una escritura' }, unit: 'ms' },
    readMs: { title: { en: 'a read', es: 'una lectura' }, unit: 'ms' },
    onPrimary: { title: { en: 'reads on the primary', es: 'lecturas en el primario' } },
  },
  production: [
    {
      file: 'kit/http/consistency.ts',
      about: {
        en: 'Cauce-Token: an answer says how far its log has come, a request that sends it waits for that much',
        es: 'Cauce-Token: una respuesta dice hasta dónde llegó su log, y una petición que lo envía espera hasta ahí',
      },
    },
    {
      file: 'kit/pipeline/catch-up.ts',
      about: {
        en: 'the same inside the server: wait until a group has applied what a log holds now',
        es: 'lo mismo dentro del servidor: esperar a que un grupo haya aplicado lo que hay ahora en un log',
      },
    },
  ],
  scaffold: 'labs/persistence/strong-eventual.naive.ts',

  async run(stage, connect) {
    const { clock, timers, connectTo, progress } = stage
    const { writes, lagMs } = stage.parameters
    const pair = await lendPair(stage)
    const primary = connectTo(pair.primary)
    const standby = connectTo(pair.standby)
    const lag = new Lag(standby, timers, lagMs)
    stage.closing(() => lag.end())
    await prepare(primary, standby, timers)
    const writer = await session(primary, standby)
    const reader = await session(primary, standby)
    const shops = { writer: connect(writer), reader: connect(reader) }

    const found = { stale: 0, wrong: 0, behindMs: 0 }
    const times = { write: [] as number[], read: [] as number[] }
    const timed = async <T>(kind: 'write' | 'read', work: Promise<T>, { done }: Counted): Promise<T> => {
      const begun = clock.monotonic()
      const result = await lag.endure(work, done)
      times[kind].push(clock.monotonic() - begun)
      return result
    }
    let onPrimary = 0
    for (let price = 1; price <= writes; price++) {
      await lag.begin()
      const token = await timed('write', shops.writer.write(price), writer)
      const answered = clock.monotonic()
      const before = reader.sent()
      const read = await timed('read', shops.reader.read(token), reader)
      onPrimary += reader.sent() - before
      if (read !== price) {
        found.stale += 1
        await timers.sleep(Math.max(0, answered + lagMs - clock.monotonic()))
        await lag.end()
        const until = found.behindMs < GIVE_UP_MS ? answered + GIVE_UP_MS : 0
        while ((await shops.reader.read(token)) !== price && clock.monotonic() < until) await timers.sleep(2)
        found.behindMs = Math.max(found.behindMs, Math.round(clock.monotonic() - answered))
      }
      await lag.end()
      progress(price, writes)
    }
    const [lamp] = await primary.query<{ price: number }>('SELECT price FROM prices')
    if (lamp?.price !== writes) found.wrong = 1
    return { ...found, writeMs: median(times.write), readMs: median(times.read), onPrimary }
  },

  fails: ({ stale, wrong }) => stale !== 0 || wrong !== 0,
})

/** Keeps the standby behind. */
class Lag {
  readonly #standby: LabDatabase
  readonly #timers: Timers
  readonly #lagMs: number

  constructor(standby: LabDatabase, timers: Timers, lagMs: number) {
    this.#standby = standby
    this.#timers = timers
    this.#lagMs = lagMs
  }

  async begin(): Promise<void> {
    await this.#standby.query('SELECT pg_wal_replay_pause()')
    await untilTrue(this.#standby.query, `pg_get_wal_replay_pause_state() = 'paused'`, this.#timers)
  }

  async end(): Promise<void> {
    await this.#standby.query('SELECT pg_wal_replay_resume()')
  }

  /** Ends it for work that has asked and waits. What has not even been answered once gets more time: the machine is busy. */
  async endure<T>(work: Promise<T>, done: () => number): Promise<T> {
    const before = done()
    let settled = false
    const watched = work.finally(() => {
      settled = true
    })
    watched.catch(() => undefined)
    for (let waits = 1; !settled; waits++) {
      await Promise.race([watched.catch(() => undefined), this.#timers.sleep(this.#lagMs)])
      if (!settled && (done() > before || waits >= 10)) await this.end()
    }
    return watched
  }
}

async function prepare(primary: LabDatabase, standby: LabDatabase, timers: Timers): Promise<void> {
  await standby.query('SELECT pg_wal_replay_resume()')
  await untilTrue(primary.query, `SELECT bool_or(state = 'streaming') FROM pg_stat_replication`, timers)
  await primary.query(`ALTER SYSTEM SET synchronous_commit = 'local'`)
  await primary.query(`ALTER SYSTEM SET synchronous_standby_names = 'standby'`)
  await primary.query('SELECT pg_reload_conf()')
  await untilTrue(primary.query, `SELECT bool_or(sync_state = 'sync') FROM pg_stat_replication`, timers)
  await primary.query('DROP TABLE IF EXISTS prices')
  await primary.query(`CREATE TABLE prices (sku text PRIMARY KEY, price integer NOT NULL)`)
  await primary.query(`INSERT INTO prices VALUES ('LAMP', 0)`)
  const [log] = await primary.query<{ position: string }>('SELECT pg_current_wal_lsn() AS position')
  await untilTrue(standby.query, `pg_last_wal_replay_lsn() >= '${log!.position}'`, timers)
}

interface Counted {
  /** Statements to the primary. */
  sent(): number
  /** Statements answered by either. */
  done(): number
}

/** Connections of one process. */
async function session(primary: LabDatabase, standby: LabDatabase): Promise<Servers & Counted> {
  const counts = { sent: 0, done: 0 }
  const on = async ({ connect }: LabDatabase, count: () => void): Promise<Sql> => {
    const client = await connect()
    return async (statement, values = []) => {
      count()
      const { rows } = await client.query(statement, [...values])
      counts.done += 1
      return rows as never[]
    }
  }
  return {
    primary: await on(primary, () => void (counts.sent += 1)),
    standby: await on(standby, () => {}),
    sent: () => counts.sent,
    done: () => counts.done,
  }
}
