/**
 * Every observed cell against what PostgreSQL documents (chapter 13.2). Its table has dirty, non-repeatable and phantom reads.
 * Lost update and the two skews follow from the text: at read committed each command has a snapshot of its own; at repeatable read
 * the transaction has one, and an update of a row that was changed since is refused; only serializable looks at what was read.
 */
import { expect, test } from 'vitest'
import { runSmall } from '../harness/testing.ts'
import { isolation } from './isolation.ts'

const statementSnapshots = {
  'dirty-read': false,
  'non-repeatable-read': true,
  phantom: true,
  'lost-update': true,
  'read-skew': true,
  'write-skew': true,
}
const transactionSnapshot = {
  'dirty-read': false,
  'non-repeatable-read': false,
  phantom: false,
  'lost-update': '40001',
  'read-skew': false,
  'write-skew': true,
}

test('every cell of the matrix is what PostgreSQL documents', async () => {
  const { variants } = await runSmall(isolation)
  expect(Object.fromEntries(variants.map(({ name, measured }) => [name, measured]))).toEqual({
    'read-uncommitted': statementSnapshots,
    'read-committed': statementSnapshots,
    'repeatable-read': transactionSnapshot,
    serializable: { ...transactionSnapshot, 'write-skew': '40001' },
  })
})
