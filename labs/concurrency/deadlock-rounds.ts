/**
 * Rounds of two opposite transfers in lockstep: each stops after each of its statements until the other has come as far as it
 * can. So both hold their first lock before either asks for its second. Only a transfer's first transaction is held up; one
 * that tries again goes at its own pace.
 *
 * What was done is read from the balances, not from what a variant says: the two amounts of a round differ, so the change of
 * one balance tells which of them arrived. After every COMMIT the sum of both accounts must be what it was.
 */
import { integerBetween } from '@cauce/kit/core/prng'
import { sqlState } from '@cauce/kit/database/errors'
import type { Measured } from '../contract.ts'
import { accessOf, lookForDeadlocksAfter, type Statement } from '../harness/access.ts'
import { databaseAt, type LabDatabase } from '../harness/database.ts'
import { Lockstep, type Party } from '../harness/lockstep.ts'
import type { Stage } from '../harness/stage.ts'
import type { Bank, Transfer } from './deadlock.naive.ts'

const START = 1_000_000

type Rounds = Stage<'rounds' | 'timeout'>

export async function playRounds(stage: Rounds, transfer: Transfer): Promise<Measured> {
  const { rounds } = stage.parameters
  const { pool, look } = await prepare(stage)
  const balances = async () => {
    const rows = await look<{ balance: number }>('SELECT balance FROM accounts ORDER BY id')
    return rows.map(({ balance }) => balance) as [ana: number, ben: number]
  }
  const diary = new Diary(stage)
  const amounts = stage.random('amounts')
  let [before] = await balances()
  for (let round = 0; round < rounds; round++) {
    const steps = new Lockstep(2, { query: look, timers: stage.timers })
    const send = (party: Party, from: string, to: string, amount: number) => {
      const committed = async () => diary.sum(await balances())
      const { transaction } = accessOf(pool, party, {
        committed,
        around: (statement, run) => diary.write(`${from} → ${to}`, party, statement, run),
        closed: () => party.end(),
      })
      const bank: Bank = { from, to, amount, transaction: (work) => diary.begin(() => transaction(work)) }
      return diary.time(() => transfer(bank)).finally(() => party.end())
    }
    const [there, back] = [integerBetween(amounts, 1, 50), integerBetween(amounts, 51, 100)]
    await Promise.all([send(steps.parties[0]!, 'ana', 'ben', there), send(steps.parties[1]!, 'ben', 'ana', back)])
    const [after] = await balances()
    diary.end(after - before, there, back)
    before = after
    stage.progress(round + 1, rounds)
  }
  return { ...diary.found, due: 2 * rounds, undone: 2 * rounds - diary.found.done }
}

interface Bench extends Pick<LabDatabase, 'pool'> {
  /** On connections of the lab's own. */
  readonly look: LabDatabase['query']
}

async function prepare({ database, closing, parameters: { timeout } }: Rounds): Promise<Bench> {
  const { url, pool } = await database()
  const { query: look } = databaseAt(url, closing, 2)
  await lookForDeadlocksAfter(timeout, look)
  await look('CREATE TABLE accounts (id text PRIMARY KEY, balance integer NOT NULL)')
  await look(`INSERT INTO accounts VALUES ('ana', $1), ('ben', $1)`, [START])
  return { pool, look }
}

interface Span {
  readonly from: number
  readonly to: number
  readonly label: string
}

/** What happened, of every round; and of the first one a timeline and PostgreSQL's own words. */
class Diary {
  readonly found = { done: 0, deadlocks: 0, transactions: 0, longestMs: 0, torn: 0 }
  readonly #stage: Rounds
  readonly #rows = new Map<string, Span[]>()
  readonly #begun: number
  #told = false
  #drawn = false

  constructor(stage: Rounds) {
    this.#stage = stage
    this.#begun = stage.clock.monotonic()
  }

  begin<T>(transaction: () => Promise<T>): Promise<T> {
    this.found.transactions += 1
    return transaction()
  }

  async write<T>(row: string, party: Party, statement: Statement, run: () => Promise<T>): Promise<T> {
    const from = this.#now()
    const drew = (answer: string) => {
      if (!this.#drawn) this.#spansOf(row).push({ from, to: this.#now(), label: `${labelOf(statement)}${answer}` })
    }
    try {
      const result = await run()
      drew('')
      await party.meet()
      return result
    } catch (error) {
      drew(` ✗ ${sqlState(error) ?? ''}`)
      if (sqlState(error) === '40P01') this.#deadlock(row, error as DatabaseError)
      throw error
    }
  }

  /** A transfer from its call to its end. What it throws was told by the database; the balances say the rest. */
  async time(transfer: () => Promise<void>): Promise<void> {
    const from = this.#now()
    try {
      await transfer()
    } catch (error) {
      const { message } = error as Error
      if (sqlState(error) !== '40P01') this.#tell(message, message)
    }
    this.found.longestMs = Math.max(this.found.longestMs, Math.round(this.#now() - from))
  }

  sum([ana, ben]: readonly [number, number]): void {
    if (ana + ben !== 2 * START) this.found.torn += 1
  }

  end(change: number, there: number, back: number): void {
    this.found.done += [-there, back].filter((one) => change === one).length
    if (change === back - there) this.found.done += 2
    if (this.#drawn) return
    this.#drawn = true
    this.#stage.chart({
      kind: 'timeline',
      title: { en: 'The first round, statement by statement', es: 'La primera ronda, sentencia a sentencia' },
      rows: [...this.#rows].map(([name, spans]) => ({ name, spans })),
    })
  }

  #deadlock(row: string, { message, code, detail, where, hint }: DatabaseError): void {
    this.found.deadlocks += 1
    const said = [`ERROR: ${code}: ${message}`, `DETAIL: ${detail}`, `HINT: ${hint}`, `CONTEXT: ${where}`].join('\n')
    this.#tell(`PostgreSQL to ${row}:\n${said}`, `PostgreSQL a ${row}:\n${said}`)
  }

  #tell(en: string, es: string): void {
    if (!this.#told) this.#stage.note({ en, es })
    this.#told = true
  }

  #spansOf(row: string): Span[] {
    const spans = this.#rows.get(row) ?? []
    this.#rows.set(row, spans)
    return spans
  }

  #now(): number {
    return this.#stage.clock.monotonic() - this.#begun
  }
}

interface DatabaseError extends Error {
  readonly code?: string
  readonly detail?: string
  readonly hint?: string
  readonly where?: string
}

/** `UPDATE ana` */
const labelOf = ({ text, values }: Statement): string =>
  [/\w+/.exec(text)?.[0] ?? '', ...values.filter((value) => typeof value === 'string')].join(' ')
