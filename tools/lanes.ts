/**
 * Runs Vitest and counts what it really ran, from its own report file.
 *
 * 1. A run that left no report passed nothing: it counts as one failure, whatever it printed.
 * 2. A file that failed to load, and a run that failed with every test green (an unhandled error, a leaked server),
 *    count as failures too.
 * 3. A run without a single test is a failure: it is a mistyped path or a broken filter.
 * 4. A few files that failed in a run of everything run once more, alone: a test that waits for real servers may lose
 *    against all the others for two cores. What passes then counts as passed and is named as unsteady at the end, with
 *    what it said the first time, so that nobody mistakes it for sound.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run } from './run.ts'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface Lane {
  readonly name: string
  /** What to run, as `vitest run` takes it; everything when empty. */
  readonly paths: readonly string[]
  /** Given to `vitest run` with them. */
  readonly options?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Starts Vitest; this process's Node by default. */
  readonly start?: readonly [program: string, ...args: string[]]
  readonly timeoutMs: number
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly ReportedFile[]
}

interface ReportedFile {
  /** The file's path. */
  readonly name: string
  readonly status: string
  /** Why the file did not load. */
  readonly message: string
  readonly assertionResults: readonly {
    readonly status: string
    readonly fullName: string
    readonly failureMessages?: readonly string[]
  }[]
}

export interface Failure {
  /** From the root of the repository. */
  readonly file: string
  /** The test's whole name; empty when the file did not load. */
  readonly test: string
  readonly message: string
}

export interface LaneResult {
  readonly counts: Counts
  readonly failures: readonly Failure[]
  /** Failures that did not come back when their file ran alone. */
  readonly unsteady: readonly Failure[]
}

export const nothing: Counts = { passed: 0, failed: 0, skipped: 0 }

/** With more failed files than this, what is wrong is not the company they ran in. */
const filesRunAgain = 3

export async function runLane(lane: Lane): Promise<LaneResult> {
  const first = await runOnce(lane)
  const failures = failuresOf(first.report)
  const files = [...new Set(failures.map(({ file }) => file))]
  if (files.length === 0 || files.length > filesRunAgain) return { counts: first.counts, failures, unsteady: [] }
  console.log(`\n── alone, once more: ${files.join(' ')}`)
  const second = await runOnce({ ...lane, paths: files })
  if (second.counts.failed > 0) return { counts: first.counts, failures, unsteady: [] }
  const { passed, failed, skipped } = first.counts
  return { counts: { passed: passed + failed, failed: 0, skipped }, failures: [], unsteady: failures }
}

async function runOnce(lane: Lane): Promise<{ counts: Counts; report: Report | undefined }> {
  const folder = mkdtempSync(join(tmpdir(), 'cauce-tests-'))
  const report = join(folder, 'report.json')
  const [program, ...args] = lane.start ?? [process.execPath]
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { code, output } = await run({
      program,
      args: [...args, 'node_modules/vitest/vitest.mjs', 'run', ...reporters, ...(lane.options ?? []), ...lane.paths],
      env: lane.env ?? {},
      timeoutMs: lane.timeoutMs,
      output: 'inherit',
    })
    if (code !== 0 && output) console.error(output.trim())
    const written = readReport(report)
    return { counts: countsOf(written, code), report: written }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The counts of a report (undefined when there is none) of a run that ended with `code`. */
export function countsOf(report: Report | undefined, code: number): Counts {
  if (!report) return { ...nothing, failed: 1 }
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  )
  const counts = {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
  const ranNothing = counts.passed + counts.failed + counts.skipped === 0
  return counts.failed === 0 && (code !== 0 || ranNothing) ? { ...counts, failed: 1 } : counts
}

/** What failed, and what it said. */
export function failuresOf(report: Report | undefined): Failure[] {
  return (report?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    const file = name.replace(root, '')
    const failed = assertionResults.filter((assertion) => assertion.status === 'failed')
    if (failed.length === 0) return status === 'failed' ? [{ file, test: '', message }] : []
    return failed.map(({ fullName, failureMessages }) => ({
      file,
      test: fullName,
      message: failureMessages?.join('\n') ?? '',
    }))
  })
}

/** For the end of the output, where somebody looks first. */
export const describeFailure = ({ file, test, message }: Failure): string =>
  [
    `${file}${test && ` > ${test}`}`,
    ...message
      .split('\n')
      .slice(0, messageLines)
      .map((line) => `    ${line}`),
  ].join('\n')

const messageLines = 25

export const sum = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
})

/** The closing line: `12 passed, 0 failed`, with `, 3 skipped` behind it when there are any. */
export const closingLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report
  } catch {
    return undefined
  }
}
