/**
 * A worker process that dies (SIGKILL) in the middle of transactions, each after its n-th statement.
 *
 *   node --import tsx kit/pipeline/testing-crash.ts <url> <lanes> group=n …
 *
 * It applies one batch for one group after the other. Each goes as far as its n-th statement and stands still there, nothing
 * more being sent; a transaction with fewer statements goes to its end. The process kills itself the moment the last group's
 * statement is on its way. So one process, which takes long to start, dies at every point at once.
 */
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { poll } from '../consumer/poll.ts'
import type { Decider } from './decision.ts'
import { messageSource } from './messages.ts'
import type { ServiceDefinition } from './service.ts'
import { connectSites, makePipeline, tallyService, type Addition, type Sites } from './testing.ts'

export const crashFile = fileURLToPath(import.meta.url)

/** Tally with counters of each group's own, so that many groups can read one log. Keys that begin with `poison` are. */
export function serviceOf(group: string): ServiceDefinition {
  const definition = tallyService({
    inspect({ key }) {
      if (key.includes('/poison')) throw new Error(`${key} is poison`)
    },
  })
  const scoped = (data: Addition): Addition => ({ ...data, key: `${group}/${data.key}` })
  const messages = definition.messages.map((decider): Decider => {
    const { lock, decide } = decider as unknown as { lock: (...args: any[]) => any; decide: (...args: any[]) => any }
    return {
      type: decider.type,
      lock: (data: Addition, rows) => lock(scoped(data), rows),
      decide: (data: Addition, rows, context) => decide(scoped(data), rows, context),
    }
  })
  return { ...definition, messages }
}

/** Finds and applies one batch. Gives how many messages that were. */
export async function applyBatch({ tally, upstream }: Sites, group: string): Promise<number> {
  const { backlogs } = await poll(tally.groups, group, [upstream.log], 500, 0)
  return (await makePipeline(tally, serviceOf(group)).run(messageSource(group), backlogs)).length
}

async function main([url, lanes, ...points]: string[]): Promise<void> {
  const sites = await connectSites(url!, Number(lanes))
  for (const [i, point] of points.entries()) {
    const [group, n] = point.split('=')
    await new Promise<void>((resolve, reject) => {
      stopAfter(Number(n), i === points.length - 1 ? () => process.kill(process.pid, 'SIGKILL') : resolve)
      applyBatch(sites, group!).then(() => resolve(), reject)
    })
  }
  await sites.close()
}

const { query } = pg.Client.prototype

/** The next transaction sends `statements` and no more. `reached` is called when the last of them is on its way. */
function stopAfter(statements: number, reached: () => void): void {
  let left = statements
  const clients = new Set<pg.Client>()
  const previous = pg.Client.prototype.query
  pg.Client.prototype.query = function (this: pg.Client, ...args: any[]) {
    if ((args[0] as { name?: string }).name === 'begin' && clients.size === 0) clients.add(this)
    if (!clients.has(this)) return (previous as (...args: any[]) => any).apply(this, args)
    if (left === 0) return new Promise(() => undefined)
    // The bytes are with the kernel when this returns: the server gets the statement, and nothing that would follow.
    const result = (query as (...args: any[]) => any).apply(this, args)
    if (--left === 0) reached()
    return result
  }
}

if (process.argv[1] === crashFile) await main(process.argv.slice(2))
