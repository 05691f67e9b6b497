/**
 * `npm run sim`: the whole platform under virtual time and seeded faults.
 *
 *   npm run sim -- --seed 42                 one run, with its timeline when it fails
 *   npm run sim -- --seeds 10000 --from 1    many, over all cores
 *   npm run sim -- --mutant ack-before-commit --seeds 500    with a planted bug: must be caught
 *
 * Exit code 1 on a violation (with a planted bug: when it was not caught), 2 for a mistake in the command.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runMany, type Told } from './many.ts'
import { isCaught, mutantNamed, mutants } from './mutants.ts'
import { reportMany, reportOne } from './report.ts'
import { shrink } from './shrink.ts'
import { simulate } from './simulate.ts'
import { trapReality } from './trap.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    worker: { type: 'boolean', default: false },
  },
})

/** The JavaScript this is. */
const program = process.argv[1] ?? ''

function integer(name: string, text: string, low: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= low && value <= 2 ** 31) return value
  process.stderr.write(`--${name} is ${JSON.stringify(text)}; it must be a whole number from ${low} on\n`)
  process.exit(2)
}

/** A child of `runMany`: a seed comes in, what came of it goes out. */
function work(): void {
  const mutant = values.mutant === undefined ? undefined : mutantNamed(values.mutant)
  trapReality()
  process.on('message', (seed: number) => {
    void simulate({ seed, mutant }).then(({ violation, covered, struck, hash, inputs, turns, virtualMs }) => {
      const told: Told = {
        seed,
        violation: violation && { invariant: violation.invariant, message: violation.message },
        hash,
        inputs,
        turns,
        virtualMs,
        covered: Object.fromEntries(covered),
        struck: Object.fromEntries(struck),
      }
      process.send?.(told)
    })
  })
  process.send?.('ready')
}

async function one(seed: number): Promise<number> {
  const mutant = values.mutant === undefined ? undefined : mutantNamed(values.mutant)
  const trap = trapReality()
  const verdict = await simulate({ seed, mutant })
  const small = verdict.violation ? await shrink(verdict, { mutant }) : undefined
  trap.release()
  reportOne(verdict, small, { json: values.json, mutant: values.mutant })
  return exitCode(verdict.violation !== undefined, mutant && isCaught(mutant, verdict.violation))
}

/** A planted bug is there to be caught. */
const exitCode = (failed: boolean, caught: boolean | undefined): number => ((caught ?? !failed) ? 0 : 1)

async function many(count: number, name: string | undefined): Promise<number> {
  const mutant = name === undefined ? undefined : mutantNamed(name)
  const failed = () => report.failures.find(({ violation }) => !mutant || isCaught(mutant, violation))
  const report = reportMany({ count, json: values.json })
  await runMany({
    program: program,
    from: integer('from', values.from, 0),
    count,
    workers: integer('workers', values.workers, 1),
    mutant: name,
    onRun: report.add,
    enough: () => failed() !== undefined,
  })
  report.end()
  const first = failed()
  if (first) await one(first.seed)
  return exitCode(first !== undefined, mutant && first !== undefined)
}

/** Every planted bug, until it is caught: by which checker, after how many seeds. */
async function all(count: number): Promise<number> {
  let missed = 0
  for (const mutant of mutants) {
    const { name, about, breaks } = mutant
    const told: Told[] = []
    const caughtIn = () => told.find(({ violation }) => isCaught(mutant, violation))
    await runMany({
      program: program,
      from: integer('from', values.from, 0),
      count,
      workers: integer('workers', values.workers, 1),
      mutant: name,
      onRun: (run) => told.push(run),
      enough: () => caughtIn() !== undefined,
    })
    const caught = caughtIn()
    if (!caught) missed += 1
    const how = caught
      ? `${caught.violation?.invariant} after ${told.length} seeds (${caught.violation?.message})`
      : `NOT CAUGHT by ${breaks.join(' or ')} in ${told.length} seeds`
    process.stdout.write(`${name.padEnd(28)} ${how}\n${' '.repeat(29)}${about}\n`)
  }
  return missed > 0 ? 1 : 0
}

async function main(): Promise<number> {
  if (values.mutants) return all(integer('seeds', values.seeds ?? '200', 1))
  if (values.seeds !== undefined) return many(integer('seeds', values.seeds, 1), values.mutant)
  if (values.seed !== undefined) return one(integer('seed', values.seed, 0))
  process.stderr.write('npm run sim -- --seed N | --seeds N [--from B] | --mutants. See simulator/main.ts\n')
  return 2
}

if (values.worker) work()
else process.exit(await main())
