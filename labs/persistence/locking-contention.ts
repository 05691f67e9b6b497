/**
 * The same changes at rising contention: from an account for each writer to one account for all of them.
 *
 * L1. Counted: at each level every writer makes one change, in lockstep (lockstep.ts): after a reading, nobody goes on until each of
 *     the others has read too, or waits for a lock. So readings that are overtaken, and waits, are the most there can be, and
 *     the same on every machine.
 * L2. Timed: at each level the writers make many changes at their own pace, with a decision that takes `thinkMs`. That gives
 *     the throughput. Only L1 is needed to see updates lost; in both none may be.
 * L3. The amounts tell what was done: the sum of the balances must have grown by all of them, whatever a variant says.
 */
import { integerBetween } from '@cauce/kit/core/prng'
import { accessOf, lookForDeadlocksAfter } from '../harness/access.ts'
import { databaseAt, type LabDatabase } from '../harness/database.ts'
import { Lockstep, type Party } from '../harness/lockstep.ts'
import type { Stage } from '../harness/stage.ts'
import type { Change } from './locking.naive.ts'

const DEADLOCK_MS = 50

export interface Level {
  /** Writers for each account. */
  readonly sharing: number
  /** Readings beyond the first of each change (L1). */
  readonly retries: number
  /** Statements that waited for a lock (L1). */
  readonly waits: number
  /** Changes that are not in the balances, both parts. */
  readonly lost: number
  /** Changes a second (L2). */
  readonly perSecond: number
}

type LockingStage = Stage<'writers' | 'changes' | 'thinkMs'>

interface Bench {
  readonly stage: LockingStage
  readonly pool: LabDatabase['pool']
  /** On connections of the lab's own. */
  readonly look: LabDatabase['query']
  readonly change: Change
  readonly failed: (error: unknown) => void
}

/** From low to high contention. */
export async function playLevels(stage: LockingStage, change: Change): Promise<Level[]> {
  const { writers } = stage.parameters
  const { url, pool } = await stage.database()
  const { query: look } = databaseAt(url, stage.closing, 2)
  // No variant of ours has any; an attempt that has should not wait long for its failure.
  await lookForDeadlocksAfter(DEADLOCK_MS, look)
  await look('CREATE TABLE accounts (id integer PRIMARY KEY, balance integer NOT NULL, version integer NOT NULL)')
  let told = false
  const failed = (error: unknown) => {
    const { message } = error as Error
    if (!told) stage.note({ en: `A change threw: ${message}`, es: `Un cambio lanzó un error: ${message}` })
    told = true
  }
  const bench = { stage, pool, look, change, failed }
  const found: Level[] = []
  const sizes = accountsFrom(writers)
  for (const accounts of sizes) {
    const counted = await countedPart(bench, accounts)
    const timed = await timedPart(bench, accounts)
    found.push({ sharing: writers / accounts, ...counted, ...timed, lost: counted.lost + timed.lost })
    stage.progress(found.length, sizes.length)
  }
  return found
}

/** 12, 6, 3, 1 */
function accountsFrom(writers: number): number[] {
  const sizes: number[] = []
  for (let accounts = writers; accounts >= 1; accounts = Math.floor(accounts / 2)) sizes.push(accounts)
  return sizes
}

async function countedPart(bench: Bench, accounts: number): Promise<Pick<Level, 'retries' | 'waits' | 'lost'>> {
  const { stage, look } = bench
  const { writers } = stage.parameters
  const steps = new Lockstep(writers, { query: look, timers: stage.timers })
  let readings = 0
  const lost = await amountLost(bench, accounts, async () => {
    await Promise.all(
      steps.parties.map(async (party, writer) => {
        const read = () => {
          readings += 1
          return party.meet()
        }
        await change(bench, party, { account: writer % accounts, amount: 1, thinkMs: 0, read })
        party.end()
      }),
    )
    return writers
  })
  return { retries: Math.max(0, readings - writers), waits: steps.waits, lost }
}

async function timedPart(bench: Bench, accounts: number): Promise<Pick<Level, 'perSecond' | 'lost'>> {
  const { stage, look } = bench
  const { writers, changes, thinkMs } = stage.parameters
  const chance = stage.random(`accounts ${accounts}`)
  const plans = Array.from({ length: writers }, () =>
    Array.from({ length: changes }, () => integerBetween(chance, 0, accounts - 1)),
  )
  const free = new Lockstep(writers, { query: look, timers: stage.timers }).parties
  let ms = 0
  const lost = await amountLost(bench, accounts, async () => {
    const begun = stage.clock.monotonic()
    await Promise.all(
      plans.map(async (plan, writer) => {
        const party = free[writer]!
        party.end()
        for (const account of plan) await change(bench, party, { account, amount: 1, thinkMs })
      }),
    )
    ms = stage.clock.monotonic() - begun
    return writers * changes
  })
  return { perSecond: Math.round((writers * changes * 1000) / ms), lost }
}

interface Wanted {
  readonly account: number
  readonly amount: number
  readonly thinkMs: number
  /** After each SELECT. */
  readonly read?: () => Promise<void>
}

/** One change by the variant. What it throws is told, and missing in the balances. */
async function change(bench: Bench, party: Party, { account, amount, thinkMs, read }: Wanted): Promise<void> {
  const { stage, pool, failed } = bench
  const access = accessOf(pool, party, {
    async around({ text }, run) {
      const result = await run()
      if (/^\s*(select|with)/i.test(text)) await read?.()
      return result
    },
  })
  const decide = async (balance: number) => {
    if (thinkMs > 0) await stage.timers.sleep(thinkMs)
    return balance + amount
  }
  try {
    await bench.change({ id: account, decide, ...access })
  } catch (error) {
    failed(error)
  }
}

/** Fresh accounts, the changes, and what is missing of the amount that `work` says it added. */
async function amountLost({ look }: Bench, accounts: number, work: () => Promise<number>): Promise<number> {
  await look('TRUNCATE accounts')
  await look('INSERT INTO accounts SELECT id, 0, 0 FROM generate_series(0, $1::integer - 1) AS id', [accounts])
  const added = await work()
  const [row] = await look<{ total: string }>('SELECT sum(balance) AS total FROM accounts')
  return added - Number(row?.total ?? 0)
}
