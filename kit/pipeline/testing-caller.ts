/**
 * A process that calls: it submits `count` commands at once, all with one idempotency key, and prints what it was answered.
 *
 *   node --import tsx kit/pipeline/testing-caller.ts <url> <lanes> <counter> <key> <count>
 *
 * It starts when it gets a line on its standard input, so that several begin together.
 */
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CommandQueue, type Command } from './commands.ts'
import { connectSites, makePipeline, tallyService } from './testing.ts'

export const callerFile = fileURLToPath(import.meta.url)

export interface CallerReport {
  /** Each answer's bytes, once. */
  readonly replies: readonly string[]
  /** Callers whose command was decided. */
  readonly decided: number
  readonly replayed: number
}

async function main([url, lanes, counter, key, count]: string[]): Promise<void> {
  const sites = await connectSites(url!, Number(lanes))
  const queue = new CommandQueue(makePipeline(sites.tally, tallyService()))
  process.stdout.write('ready\n')
  await once(process.stdin, 'data')
  const command = (n: number): Command => ({
    id: `process ${process.pid} command ${n}`,
    type: 'Add',
    data: { key: counter, seq: 1, amount: 1 },
    requestId: 'request',
    key: { id: key!, fingerprint: 'the same', ttlMs: 3_600_000 },
    render: (decision) => ({ status: 200, headers: { 'X-By': `${process.pid}.${n}` }, body: JSON.stringify(decision) }),
  })
  const answers = await Promise.all(Array.from({ length: Number(count) }, (_, n) => queue.submit(command(n))))
  const answered = answers.flatMap((answer) => (answer.kind === 'answered' ? [answer] : []))
  const report: CallerReport = {
    replies: [...new Set(answered.map(({ reply }) => JSON.stringify(reply)))],
    decided: answered.filter(({ replayed }) => !replayed).length,
    replayed: answered.filter(({ replayed }) => replayed).length,
  }
  process.stdout.write(`${JSON.stringify(report)}\n`)
  process.stdin.destroy()
  await sites.close()
}

if (process.argv[1] === callerFile) await main(process.argv.slice(2))
