import { describe, expect, it } from 'vitest'
import { closingLine, countsOf, describeFailure, failuresOf, nothing, without } from './lanes.ts'
import { root } from './run.ts'

const green = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults: [] }
const red = {
  ...green,
  numFailedTests: 1,
  testResults: [
    {
      name: `${root}kit/x.test.ts`,
      status: 'failed',
      message: '',
      assertionResults: [
        { status: 'passed', fullName: 'x holds' },
        { status: 'failed', fullName: 'x breaks', failureMessages: ['AssertionError: expected 1 to be 2\n    at x'] },
      ],
    },
  ],
}
const unloaded = { name: `${root}kit/y.test.ts`, status: 'failed', message: 'no such module', assertionResults: [] }

describe('countsOf', () => {
  it('takes the numbers of the report', () => {
    expect(countsOf(green, 0)).toEqual({ passed: 3, failed: 0, skipped: 2 })
    expect(countsOf(red, 1)).toEqual({ passed: 3, failed: 1, skipped: 2 })
  })

  it('counts a run without a report as one failure and no passes, also when it exited 0', () => {
    expect(countsOf(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
    expect(countsOf(undefined, 124)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('counts a file that did not load', () => {
    expect(countsOf({ ...green, testResults: [unloaded, unloaded] }, 1).failed).toBe(2)
    expect(countsOf({ ...red, testResults: [...red.testResults, unloaded] }, 1).failed).toBe(2)
  })

  it('counts a run that failed with every test green', () => {
    expect(countsOf(green, 1)).toEqual({ passed: 3, failed: 1, skipped: 2 })
  })

  it('counts a run of no tests as a failure', () => {
    expect(countsOf({ ...green, numPassedTests: 0, numPendingTests: 0, numTodoTests: 0 }, 0).failed).toBe(1)
  })
})

it('what ran again is not counted twice', () => {
  const more = { ...unloaded, name: `${root}kit/z.test.ts`, assertionResults: [{ status: 'pending', fullName: 'z' }] }
  const report = { ...red, testResults: [...red.testResults, more] }
  expect(without(report, ['kit/x.test.ts'])).toEqual({ passed: 0, failed: 0, skipped: 1 })
  expect(without(report, ['kit/x.test.ts', 'kit/z.test.ts'])).toEqual(nothing)
})

it('what failed is told with its file, its name and what it said', () => {
  const failures = failuresOf({ ...red, testResults: [...red.testResults, unloaded] })
  expect(failures.map(describeFailure)).toEqual([
    'kit/x.test.ts > x breaks\n    AssertionError: expected 1 to be 2\n        at x',
    'kit/y.test.ts\n    no such module',
  ])
  expect(failuresOf(green)).toEqual([])
  expect(failuresOf(undefined)).toEqual([])
})

it('the closing line names skipped tests when there are any', () => {
  expect(closingLine(nothing)).toBe('0 passed, 0 failed')
  expect(closingLine({ passed: 12, failed: 1, skipped: 3 })).toBe('12 passed, 1 failed, 3 skipped')
})
