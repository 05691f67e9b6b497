import { describe, expect, it } from 'vitest'
import { closingLine, countsOf, nothing } from './lanes.ts'

const green = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1, testResults: [] }
const red = {
  ...green,
  numFailedTests: 1,
  testResults: [{ status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] }],
}

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
    const unloaded = { status: 'failed', assertionResults: [] }
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

it('the closing line names skipped tests when there are any', () => {
  expect(closingLine(nothing)).toBe('0 passed, 0 failed')
  expect(closingLine({ passed: 12, failed: 1, skipped: 3 })).toBe('12 passed, 1 failed, 3 skipped')
})
