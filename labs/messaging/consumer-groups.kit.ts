/** The kit's consumer groups: one cursor per group, source and lane, in the group's own schema. */
import { integer, table, text } from '@cauce/kit/database/table'
import { accept, type Decider } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import type { Consumer, Message } from './consumer-groups.naive.ts'
import { append, openMember, type GroupMember } from './group.ts'
import type { Step } from '../harness/steps.ts'

/** Where the messages come from. */
const SOURCE = 'orders'
const PLACED = 'OrderPlaced'

/** What the variants of this repository get besides. */
export interface OpenConsumer extends Consumer {
  readonly url: string
  readonly step: Step
  /** Which of the group's members it is. */
  readonly member: string
}

const seen = table('seen', { key: 'key', columns: { key: text, member: text, times: integer } })

const applyFor = (member: string): Decider => ({
  type: PLACED,
  lock: ({ key }: Pick<Message, 'key'>) => [seen.key(key)],
  decide({ key }: Pick<Message, 'key'>, rows) {
    const before = rows.get(seen, key)
    const after = { key, member, times: (before?.times ?? 0) + 1 }
    return accept({ changes: [before ? seen.update(after) : seen.insert(after)] })
  },
})

let own: GroupMember | undefined

/** A process is one member of its group, for all its turns. */
async function consume({ url, group, member, step }: OpenConsumer): Promise<void> {
  const service: ServiceDefinition = {
    name: group,
    tables: [seen],
    commands: [],
    messages: [applyFor(member)],
    tasks: [],
  }
  own ??= openMember(url, service, SOURCE, step)
  await own.turn()
}

export type Publish = (messages: readonly Message[]) => Promise<void>

async function openLog(url: string, groups: readonly string[]): Promise<Publish> {
  const { prepareSchema } = await import('./prepare.ts')
  await prepareSchema(url, SOURCE)
  for (const group of groups) await prepareSchema(url, group, { group, source: SOURCE })
  return (messages) =>
    append(
      url,
      SOURCE,
      messages.map(({ key }) => ({ id: `placed-${key}`, type: PLACED, key, data: { key } })),
    )
}

export const groups = Object.assign(consume, { openBroker: openLog })
