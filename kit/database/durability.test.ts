import { expect, test } from 'vitest'
import { type DurabilitySettings, judge } from './durability.ts'

const good: DurabilitySettings = {
  version: '18.4',
  fsync: 'on',
  fullPageWrites: 'on',
  synchronousCommit: 'on',
  dataChecksums: 'on',
}

test('settings under which a commit is on the disk', () => {
  expect(judge(good)).toEqual({ ok: true, settings: good, problems: [], warnings: [] })
  for (const synchronousCommit of ['local', 'remote_write', 'remote_apply'])
    expect(judge({ ...good, synchronousCommit }).ok).toBe(true)
})

test.each([
  [{ fsync: 'off' }, 'SET fsync = on'],
  [{ fullPageWrites: 'off' }, 'SET full_page_writes = on'],
  [{ synchronousCommit: 'off' }, 'RESET synchronous_commit'],
  [{ version: '14.2 (Debian)' }, 'Upgrade'],
])('%o is a problem, with what to do', (change, remedy) => {
  const verdict = judge({ ...good, ...change })
  expect(verdict.ok).toBe(false)
  expect(verdict.problems).toHaveLength(1)
  expect(verdict.problems[0]).toContain(remedy)
})

test('no checksums is a warning', () => {
  expect(judge({ ...good, dataChecksums: 'off' })).toMatchObject({
    ok: true,
    problems: [],
    warnings: [expect.stringContaining('pg_checksums')],
  })
})
