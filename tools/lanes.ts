/**
 * Runs Vitest and counts what it really ran, from its own report file.
 *
 * 1. A run that left no report passed nothing: it counts as one failure, whatever it printed.
 * 2. A file that failed to load, and a run that failed with every test green (an unhandled error, a leaked server),
 *    count as failures too.
 * 3. A run without a single test is a failure: it is a mistyped path or a broken filter.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.ts'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface Lane {
  readonly name: string
  /** Given to `vitest run`. */
  readonly args: readonly string[]
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
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { status: string }[] }[]
}

export const nothing: Counts = { passed: 0, failed: 0, skipped: 0 }

export async function runLane(lane: Lane): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'cauce-tests-'))
  const report = join(folder, 'report.json')
  const [program, ...args] = lane.start ?? [process.execPath]
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { code, output } = await run({
      program,
      args: [...args, 'node_modules/vitest/vitest.mjs', 'run', ...reporters, ...lane.args],
      env: lane.env ?? {},
      timeoutMs: lane.timeoutMs,
      output: 'inherit',
    })
    if (code !== 0 && output) console.error(output.trim())
    return countsOf(readReport(report), code)
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
