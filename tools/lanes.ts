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

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
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
  /** Whether a few files that fail run once more, alone (4). */
  readonly again?: boolean
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
  const unchanged = { counts: first.counts, failures, unsteady: [] }
  const files = [...new Set(failures.map(({ file }) => file))]
  // An error outside any test names no file that could run again.
  if (!lane.again || first.hasUnhandled || files.length === 0 || files.length > filesRunAgain) return unchanged
  console.log(`\n── alone, once more: ${files.join(' ')}`)
  const second = await runOnce({ ...lane, paths: files })
  if (second.counts.failed > 0) return unchanged
  const others = without(first.report, files)
  return { counts: sum(others, second.counts), failures: [], unsteady: failures }
}

interface Once {
  readonly counts: Counts
  readonly report: Report | undefined
  readonly hasUnhandled: boolean
}

async function runOnce(lane: Lane): Promise<Once> {
  const folder = mkdtempSync(join(tmpdir(), 'cauce-tests-'))
  const report = join(folder, 'report.json')
  const unhandled = join(folder, 'unhandled')
  const [program, ...args] = lane.start ?? [process.execPath]
  try {
    const { code, output } = await run({
      program,
      args: [...args, 'node_modules/vitest/vitest.mjs', 'run', ...(lane.options ?? []), ...lane.paths],
      env: { ...lane.env, CAUCE_TEST_REPORT: folder },
      timeoutMs: lane.timeoutMs,
      output: 'inherit',
    })
    if (code !== 0 && output) console.error(output.trim())
    const written = readReport(report)
    // A run that did not get as far as to say so may have had any number.
    const hasUnhandled = !existsSync(unhandled) || readFileSync(unhandled, 'utf8') !== '0'
    return { counts: countsOf(written, code), report: written, hasUnhandled }
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

/** The counts of a report without those files, of which none failed. */
export function without(report: Report | undefined, files: readonly string[]): Counts {
  const others = (report?.testResults ?? []).filter(({ name }) => !files.includes(name.replace(root, '')))
  const all = others.flatMap(({ assertionResults }) => assertionResults)
  const passed = all.filter(({ status }) => status === 'passed').length
  return { passed, failed: 0, skipped: all.length - passed }
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
