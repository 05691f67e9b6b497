/**
 * The labs as a program: what to do comes as one argument, what happens goes to standard output as a line of JSON each.
 *
 *   node labs/main.ts list
 *   node labs/main.ts roadmap
 *   node labs/main.ts scaffold transfer
 *   node labs/main.ts run '[{ "id": "transfer", "seed": 1, "size": "default" }]'     one after the other
 *
 * It ends, and with it every server it started, when it is told to (SIGINT, SIGTERM) or when whoever started it has gone.
 */
import { seconds, systemClock, systemTimers } from '@cauce/kit/core/clock'
import type { LabEvent, LabList, Roadmap, RunCommand } from './contract.ts'
import { LabError } from './harness/fault.ts'
import { labs, phases } from './catalogue.ts'
import { Clusters } from './harness/database.ts'
import { describeLab } from './harness/describe.ts'
import { temporaryDirectory } from './harness/directory.ts'
import type { Lab } from './harness/lab.ts'
import { runLab } from './harness/run.ts'
import { makeVariant, scaffoldOf } from './harness/variant.ts'
import { roadmap } from './roadmap/roadmap.ts'

/** How long what is in hand may take to clean up when it is to end. */
const GRACE_MS = seconds(3)
/** How long whoever reads may take for the last of it. */
const LAST_WORDS_MS = seconds(2)

const clusters = new Clusters()
const stopping = new AbortController()

/** Whoever read it has gone: there is nobody left to tell, not even that. */
let heard = true
const say = (document: unknown) => void (heard && process.stdout.write(`${JSON.stringify(document)}\n`))

function fail(error: unknown): void {
  const { code, message } =
    error instanceof LabError ? error : { code: 'broken' as const, message: (error as Error).stack ?? String(error) }
  say({ type: 'failed', code, message } satisfies LabEvent)
  process.exitCode = 1
}

async function main([command, argument = '']: readonly string[]): Promise<void> {
  const described = () => labs.map(describeLab)
  if (command === 'list') return say({ phases, labs: described() } satisfies LabList)
  if (command === 'roadmap') return say({ sections: roadmap, labs: described() } satisfies Roadmap)
  if (command === 'scaffold') return say({ source: scaffoldOf(labOf(argument)) })
  if (command !== 'run') throw new LabError('bad-request', `There is no command ${command}`)
  for (const each of JSON.parse(argument) as RunCommand[]) {
    if (stopping.signal.aborted) throw new LabError('interrupted', 'Interrupted')
    await run(each).catch(fail)
  }
}

async function run({ id, own, ...request }: RunCommand): Promise<void> {
  const lab = labOf(id)
  const directory = temporaryDirectory()
  try {
    const mine = own === undefined ? {} : { own: { name: own, module: await makeVariant(own, directory.path) } }
    const surroundings = { clusters, clock: systemClock, timers: systemTimers, signal: stopping.signal, emit: say }
    await runLab(lab, { ...request, ...mine }, surroundings)
  } finally {
    directory.remove()
  }
}

function labOf(id: string): Lab {
  const lab = labs.find((each) => each.id === id)
  if (lab) return lab
  const ids = labs.map((each) => each.id).join(', ')
  throw new LabError('unknown-lab', `There is no lab ${JSON.stringify(id)}. There are: ${ids}`)
}

async function end(code: number): Promise<never> {
  await clusters.stop()
  await Promise.race([lastWords(), systemTimers.sleep(LAST_WORDS_MS)])
  process.exit(code)
}

/** What was said and has not left yet would be lost: a pipe takes 64 kB at a time. */
const lastWords = (): Promise<void> =>
  new Promise((resolve) => (heard ? process.stdout.write('', () => resolve()) : resolve()))

/** Asked once it cleans up in peace; asked again, at once. */
function interrupt(): void {
  if (stopping.signal.aborted) return void end(130)
  stopping.abort()
  systemTimers.after(GRACE_MS, () => void end(130))
}
process.on('SIGINT', interrupt).on('SIGTERM', interrupt).once('disconnect', interrupt)

process.stdout.on('error', () => {
  heard = false
  if (!stopping.signal.aborted) interrupt()
})

// Somebody's own variant may throw where nobody waits for it.
process.on('uncaughtException', (error) => {
  fail(error)
  void end(1)
})

await main(process.argv.slice(2)).catch(fail)
await end(stopping.signal.aborted ? 130 : Number(process.exitCode ?? 0))
