/**
 * Two projects, so that a run without database tests starts no server: `unit`, and `db` for `*.db.test.ts`, whose global
 * set-up starts one PostgreSQL for all of them. A promise rejected or an error thrown outside any test fails the run.
 *
 * Unit tests share a process per worker: nothing here keeps state in a module, so a file that disturbs the next one has
 * found a bug, and loading every import once instead of once a file saves three quarters of the time.
 */

import { defineConfig } from 'vitest/config'

const databaseTests = '**/*.db.test.ts'
const ignored = ['**/node_modules/**', '**/.cauce/**', '**/coverage/**', '**/dist/**']

/** What counts the tests (tools/lanes.ts) says where the reports go. */
const report = process.env['CAUCE_TEST_REPORT']
const json: [string, Record<string, unknown>][] =
  report === undefined ? [] : [['json', { outputFile: `${report}/report.json` }]]
const reporters = ['default', './tools/unhandled.reporter.ts', ...json]

export default defineConfig({
  test: {
    pool: 'forks',
    reporters,
    // Half of the tests wait for a database or a process: more workers than cores keep the cores busy.
    maxWorkers: 3,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    dangerouslyIgnoreUnhandledErrors: false,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['**/*.test.ts'], exclude: [...ignored, databaseTests], isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'db',
          include: [databaseTests],
          exclude: ignored,
          globalSetup: './kit/database/test-cluster.global.ts',
        },
      },
    ],
  },
})
