/** The kit's lanes: lane = hash(key), one cursor per lane, and whoever holds it applies the lane's messages in order. */
import { integer, table, text } from '@cauce/kit/database/table'
import { accept, type Decider } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { append, openMember, redrive, type GroupMember } from './group.ts'
import type { Consumer, Message } from './ordering.naive.ts'
import type { Step } from '../harness/steps.ts'

/** Where the messages come from. */
const SOURCE = 'shop'
const MOVED = 'Moved'

type Move = Pick<Message, 'key' | 'number'>

/** What the variants of this repository get besides. */
export interface OpenConsumer extends Consumer {
  readonly url: string
  readonly step: Step
  /** Throws when the message is a poison one, and not mended. */
  check(message: Move): void
}

const tracks = table('tracks', {
  key: 'key',
  columns: { key: text, last: integer, applied: integer, disorder: integer },
})

const applyMove = (check: (message: Move) => void): Decider => ({
  type: MOVED,
  lock: ({ key }: Move) => [tracks.key(key)],
  decide(move: Move, rows) {
    check(move)
    const before = rows.get(tracks, move.key)
    const { last, applied, disorder } = before ?? { last: 0, applied: 0, disorder: 0 }
    const after = {
      key: move.key,
      last: move.number,
      applied: applied + 1,
      disorder: disorder + (move.number === last + 1 ? 0 : 1),
    }
    return accept({ changes: [before ? tracks.update(after) : tracks.insert(after)] })
  },
})

const tracking = (check: (message: Move) => void): ServiceDefinition => ({
  name: 'tracking',
  tables: [tracks],
  commands: [],
  messages: [applyMove(check)],
  tasks: [],
})

let member: GroupMember | undefined

/** A process is one member of the group, for all its turns. */
async function consume({ url, step, check }: OpenConsumer): Promise<void> {
  member ??= openMember(url, tracking(check), SOURCE, step)
  await member.turn()
}

/** The way of the messages. */
export interface Broker {
  publish(messages: readonly Message[]): Promise<void>
  /** What was set aside is tried again, now that its cause is mended. */
  redrive(): Promise<void>
}

async function openLog(url: string): Promise<Broker> {
  const { prepareSchema } = await import('./prepare.ts')
  await prepareSchema(url, SOURCE)
  await prepareSchema(url, 'tracking', { group: 'tracking', source: SOURCE })
  return {
    publish: (messages) =>
      append(
        url,
        SOURCE,
        messages.map(({ key, number }) => ({ id: `${key}-${number}`, type: MOVED, key, data: { key, number } })),
      ),
    async redrive() {
      await redrive(
        url,
        tracking(() => undefined),
      )
    },
  }
}

export const lanes = Object.assign(consume, { openBroker: openLog })
