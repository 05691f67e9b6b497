/**
 * A reporter for Vitest that writes down what its JSON report leaves out: how many errors nobody handled, outside any test. They
 * go to `unhandled` in the folder that CAUCE_TEST_REPORT names.
 */
import { writeFileSync } from 'node:fs'
import type { Reporter } from 'vitest/node'

export default class UnhandledErrors implements Reporter {
  onTestRunEnd(_modules: unknown, errors: readonly unknown[]): void {
    const folder = process.env['CAUCE_TEST_REPORT']
    if (folder !== undefined) writeFileSync(`${folder}/unhandled`, String(errors.length))
  }
}
