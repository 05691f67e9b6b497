/**
 * `npm test`: the check, every test on PostgreSQL 18, the kit's database tests again on PostgreSQL 15, and in CI the unit
 * tests on Node 24. Ends with one line of counts. Every failed check step counts as a failure, and so does a lane that
 * could not run in CI; on other machines such a lane says that and why it was left out.
 *
 * `npm test -- <path> …` runs the tests of those paths alone, without the check; what else is given goes to Vitest.
 * `--fast` leaves out the database tests (and the check).
 */

import { existsSync } from 'node:fs'
import { closingLine, describeFailure, nothing, runLane, sum, type Counts, type Failure, type Lane } from './lanes.ts'
import { root, seconds } from './run.ts'
import { listFiles } from './source-files.ts'
import { check } from './steps.ts'

const postgres15 = '/usr/lib/postgresql/15/bin/postgres'
const minutes = 60_000
const inCi = Boolean(process.env['CI'])

const everything: Lane = { name: 'tests (PostgreSQL 18)', paths: [], timeoutMs: 10 * minutes, again: true }

const otherPostgres: Lane = {
  name: 'database tests of the kit (PostgreSQL 15)',
  // The embedded server's own tests know one version only.
  paths: listFiles(root).filter((path) => /^kit\/(?!database\/embedded\/).*\.db\.test\.ts$/.test(path)),
  env: { CAUCE_TEST_POSTGRES: '15' },
  again: true,
  timeoutMs: 6 * minutes,
}

const otherNode: Lane = {
  name: 'unit tests (Node 24)',
  paths: ['kit/', 'services/'],
  options: ['--project', 'unit'],
  start: [`${root}tools/node24`, 'node'],
  again: true,
  timeoutMs: 4 * minutes,
}

const times: string[] = []
const failures: Failure[] = []
const unsteady: Failure[] = []

async function timed<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  console.log(`\n══ ${name}`)
  const started = performance.now()
  const result = await work()
  times.push(`${name} ${seconds(performance.now() - started)}`)
  return result
}

async function lane(plan: Lane): Promise<Counts> {
  const result = await timed(plan.name, () => runLane(plan))
  failures.push(...result.failures)
  unsteady.push(...result.unsteady)
  return result.counts
}

function tell(title: string, told: readonly Failure[]): void {
  if (told.length > 0) console.log(`\n── ${title}\n\n${told.map(describeFailure).join('\n\n')}`)
}

function leftOut(plan: Lane, reason: string): Counts {
  console.log(`\n══ ${plan.name}: left out, ${reason}`)
  return inCi ? { ...nothing, failed: 1 } : nothing
}

async function checked(): Promise<Counts> {
  const failed = await timed('check', check)
  return { ...nothing, failed: failed.length }
}

async function whole(): Promise<Counts> {
  const checks = await checked()
  const main = await lane(everything)
  const postgres = existsSync(postgres15)
    ? await lane(otherPostgres)
    : leftOut(otherPostgres, `${postgres15} is not there: tools/install-services brings it`)
  const node = inCi ? await lane(otherNode) : nothing
  return [main, postgres, node].reduce(sum, checks)
}

async function part(args: readonly string[]): Promise<Counts> {
  const fast = args.includes('--fast')
  const filters = args.filter((arg) => arg !== '--fast')
  return lane({
    name: filters.join(' ') || 'tests without a database',
    paths: filters,
    options: fast ? ['--project', 'unit'] : [],
    timeoutMs: everything.timeoutMs,
  })
}

const args = process.argv.slice(2)
const counts = args.length > 0 ? await part(args) : await whole()
tell('unsteady: failed among the others, passed alone', unsteady)
tell('failed', failures)
console.log(`\n${times.join(' · ')}\n`)
console.log(closingLine(counts))
process.exitCode = counts.failed === 0 ? 0 : 1
