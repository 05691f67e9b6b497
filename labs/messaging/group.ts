/** A member of one of the kit's consumer groups, one lane at a time; and whoever writes the log that the group reads. */
import { poll } from '@cauce/kit/consumer/poll'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import type { NewMessage } from '@cauce/kit/log/message'
import { postgresLogReader } from '@cauce/kit/log/postgres'
import { messageSource } from '@cauce/kit/pipeline/messages'
import { redriveKeys, type RedrivenKeys } from '@cauce/kit/pipeline/redrive'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { inTransaction } from '@cauce/kit/pipeline/unit-of-work'
import { openPipeline } from './log.ts'
import type { Step } from '../harness/steps.ts'

/** Most messages of a lane that are applied in one transaction: few, so that a kill hits between two. */
const BATCH = 3
/** Most messages that are looked at. */
const LOOK = 500

export interface GroupMember {
  /** Applies messages, of one lane after the other, until it finds no lane that is behind and free. */
  turn(): Promise<void>
}

/** The group has the service's name, as everywhere in Cauce; its cursors are in the service's own schema. */
export function openMember(url: string, definition: ServiceDefinition, source: string, step: Step): GroupMember {
  const { name: group } = definition
  let lane = 0
  const { pool, pipeline } = openPipeline(url, definition, (name, take) => step(`lane ${lane}: ${name}`, take))
  const groups = postgresGroups(pool, group)
  const log = postgresLogReader(pool, source)
  const messages = messageSource(group)
  return {
    async turn() {
      for (let applied = 1; applied > 0;) {
        applied = 0
        const { backlogs } = await poll(groups, group, [log], LOOK, 0)
        for (const backlog of backlogs) {
          ;({ lane } = backlog)
          const next = { ...backlog, messages: backlog.messages.slice(0, BATCH) }
          // None when somebody else has the lane: then the next one.
          applied += (await pipeline.run(messages, [next])).length
        }
      }
    },
  }
}

/** Appends messages to the log of a schema, in this order. */
export async function append(
  url: string,
  schema: string,
  messages: readonly (NewMessage & { readonly id: string })[],
): Promise<void> {
  const service = { name: schema, tables: [], commands: [], messages: [], tasks: [] }
  const { pool, transactions } = openPipeline(url, service)
  try {
    await inTransaction(transactions, async (work) => {
      const at = await work.begun
      const origin = { requestId: 'lab', causeId: 'lab', at }
      await work.log.append(messages.map((message) => ({ ...message, ...origin })))
    })
  } finally {
    await pool.close()
  }
}

/** What an operator does when the cause is mended: parked messages are applied, key by key, in order. */
export async function redrive(url: string, definition: ServiceDefinition): Promise<RedrivenKeys> {
  const { name: group } = definition
  const { pool, pipeline, transactions } = openPipeline(url, definition)
  try {
    return await redriveKeys({ pipeline, transactions, groups: postgresGroups(pool, group), group }, {})
  } finally {
    await pool.close()
  }
}
