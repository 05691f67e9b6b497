import { describe, expect, it } from 'vitest'
import {
  blame,
  CommitUnknownError,
  ConstraintError,
  ContentionError,
  DatabaseUnavailableError,
  EncodingError,
  isUnavailable,
  NotCommittedError,
  sqlState,
} from './errors.ts'

const withCode = (code: string, message = 'refused') => Object.assign(new Error(message), { code })

describe('who is to blame for a database error', () => {
  it.each([
    ['22001', 'input', 'text too long'],
    ['22003', 'input', 'number out of range'],
    ['22P02', 'input', 'not a number'],
    ['22021', 'input', 'NUL in text'],
    ['23502', 'input', 'a required value'],
    ['23503', 'input', 'a foreign key'],
    ['23514', 'input', 'a check'],
    ['23505', 'appeared', 'a row that appeared'],
    ['40001', 'contention', 'a serialization failure'],
    ['40P01', 'contention', 'a deadlock'],
    ['55P03', 'contention', 'a lock timeout'],
    ['08006', 'unavailable', 'a lost connection'],
    ['25006', 'unavailable', 'a read-only server'],
    ['25P02', 'unavailable', 'a transaction that failed before'],
    ['25P03', 'unavailable', 'an idle transaction that was ended'],
    ['42P01', 'unavailable', 'a wrong statement'],
    ['53100', 'unavailable', 'a full disk'],
    ['53300', 'unavailable', 'too many connections'],
    ['57014', 'unavailable', 'a statement that took too long'],
    ['57P01', 'unavailable', 'a server that stops'],
    ['57P03', 'unavailable', 'a server that starts'],
    ['58030', 'unavailable', 'a broken disk'],
    ['XX000', 'unavailable', 'an internal error'],
  ])('%s: %s (%s)', (code, expected) => {
    expect(blame(withCode(code))).toBe(expected)
  })

  it('nobody, when the error is unknown', () => {
    for (const error of [
      new Error('?'),
      new TypeError('x is not a function'),
      withCode('ECONNRESET'),
      'text',
      null,
      undefined,
    ]) {
      expect(blame(error)).toBe('unavailable')
    }
  })

  it('our own errors are classified like those of PostgreSQL', () => {
    expect(blame(new CommitUnknownError('?'))).toBe('unknown-commit')
    expect(blame(new NotCommittedError('?'))).toBe('unavailable')
    expect(blame(new DatabaseUnavailableError('?'))).toBe('unavailable')
    expect(blame(new EncodingError('?'))).toBe('input')
    expect(blame(new ConstraintError('23505', 'a_pkey', '?'))).toBe('appeared')
    expect(blame(new ConstraintError('23514', 'a_check', '?'))).toBe('input')
    expect(blame(new ConstraintError('23502', 'a.b', '?'))).toBe('input')
    expect(blame(new ContentionError('40P01', '?'))).toBe('contention')
    expect(blame(new ContentionError('55P03', '?'))).toBe('contention')
  })
})

describe('whether to answer 503', () => {
  it('when the database is away, stops, is full, read-only or too busy', () => {
    for (const code of [
      '08006',
      '25006',
      '25P03',
      '40001',
      '40P01',
      '53100',
      '53300',
      '55P03',
      '57014',
      '57P01',
      '57P03',
      '58030',
    ]) {
      expect(isUnavailable(withCode(code)), code).toBe(true)
    }
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOENT', 'EHOSTUNREACH', 'ENOTFOUND']) {
      expect(isUnavailable(withCode(code)), code).toBe(true)
    }
    for (const message of [
      'Connection terminated',
      'Connection terminated unexpectedly',
      'timeout exceeded when trying to connect',
      'Client has encountered a connection error and is not queryable',
      'Client was closed and is not queryable',
    ]) {
      expect(isUnavailable(new Error(message)), message).toBe(true)
    }
    for (const error of [new CommitUnknownError('?'), new NotCommittedError('?'), new DatabaseUnavailableError('?')]) {
      expect(isUnavailable(error), error.name).toBe(true)
    }
  })

  it('not when the statement, the data or the code is wrong', () => {
    for (const code of ['22P02', '23505', '23514', '42P01', '42601', 'XX000'])
      expect(isUnavailable(withCode(code)), code).toBe(false)
    for (const error of [new Error('bug'), new TypeError('bug'), new EncodingError('?'), null, undefined, 'text']) {
      expect(isUnavailable(error)).toBe(false)
    }
  })
})

describe('SQLSTATE', () => {
  it('is five capitals or digits, and no code of a network', () => {
    for (const code of ['23505', 'XX000', '0A000', 'HV00A', 'P0001']) expect(sqlState(withCode(code))).toBe(code)
    for (const code of ['ECONNRESET', 'EPIPE', 'EPERM', 'E2BIG', '2350', '235055', 'abcde']) {
      expect(sqlState(withCode(code)), code).toBe(undefined)
    }
    expect(sqlState({ code: 23505 })).toBeUndefined()
    expect(sqlState(null)).toBeUndefined()
  })
})
