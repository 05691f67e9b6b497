/** The kit's consumer: the group's cursor says how far a lane has been applied, and moves in the transaction that applies. */
import { poll } from '@cauce/kit/consumer/poll'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import type { Backlog } from '@cauce/kit/consumer/port'
import { systemTimers } from '@cauce/kit/core/clock'
import { integer, table, text } from '@cauce/kit/database/table'
import { accept, type Decider } from '@cauce/kit/pipeline/decision'
import { messageSource } from '@cauce/kit/pipeline/messages'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { createPool } from '@cauce/kit/database/pool'
import { postgresLogReader } from '@cauce/kit/log/postgres'
import { append } from '../messaging/group.ts'
import { openPipeline } from '../messaging/log.ts'
import type { Step } from '../harness/steps.ts'
import type { Message, Worker } from './duplicate-messages.naive.ts'

/** What the variants of this repository get besides. */
export interface InsideWorker extends Worker {
  readonly url: string
  /** Where it can be killed. */
  readonly step: Step
}

/** Whose log the messages stand in. */
const SOURCE = 'shop'
/** The service, its group and its schema. */
export const BANK = 'bank'
const DEPOSIT = 'Deposit'
const LOOK_AGAIN_MS = 5

const accounts = table('accounts', { key: 'id', columns: { id: text, balance: integer } })

const deposit: Decider = {
  type: DEPOSIT,
  lock: ({ account }: Message) => [accounts.key(account)],
  decide({ account, amount }: Message, rows) {
    const { balance } = rows.get(accounts, account)!
    return accept({ changes: [accounts.update({ id: account, balance: balance + amount })] })
  },
}

const bank: ServiceDefinition = { name: BANK, tables: [accounts], commands: [], messages: [deposit], tasks: [] }

/** Applies what of these messages has not been applied, whoever does it. */
async function apply(delivered: Backlog, { url, step }: InsideWorker): Promise<void> {
  const { source, lane, messages } = delivered
  const { pool, pipeline } = openPipeline(url, bank, step)
  const groups = postgresGroups(pool, BANK)
  const last = messages.at(-1)!.position
  for (;;) {
    const applied = await pipeline.run(messageSource(BANK), [delivered])
    if (applied.length > 0) break
    // Nothing was left to apply, or another worker has the lane.
    const cursors = await groups.cursors(BANK)
    if (cursors.some((cursor) => cursor.source === source && cursor.lane === lane && cursor.position >= last)) break
    await systemTimers.sleep(LOOK_AGAIN_MS)
  }
  await pool.close()
}

/** The variant: it is given a lane's next messages together. */
export const cursor = Object.assign(apply, { byLane: true as const })

/** Puts the messages into a log, and gives them as they are read from it: lane by lane. */
export async function logOf(url: string, messages: readonly Message[]): Promise<readonly Backlog[]> {
  const { prepareSchema } = await import('../messaging/prepare.ts')
  await prepareSchema(url, SOURCE)
  await prepareSchema(url, BANK, { group: BANK, source: SOURCE })
  await append(
    url,
    SOURCE,
    messages.map((data) => ({ id: data.id, type: DEPOSIT, key: data.account, data })),
  )
  const pool = createPool({ url, purpose: 'read', size: 2 })
  try {
    const found = await poll(
      postgresGroups(pool, BANK),
      BANK,
      [postgresLogReader(pool, SOURCE)],
      messages.length + 1,
      0,
    )
    return found.backlogs
  } finally {
    await pool.close()
  }
}
