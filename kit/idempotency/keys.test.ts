import { describe, expect, it } from 'vitest'
import { ManualTime } from '../core/manual-time.ts'
import { MemoryDatabase } from '../database/memory.ts'
import { keyConformance } from './conformance.ts'
import { memoryKeyJanitor, memoryKeys } from './memory.ts'
import { verdict, type KeyRecord } from './port.ts'

keyConformance('memory', async () => {
  const time = new ManualTime()
  const database = new MemoryDatabase({ clock: time, timers: time })
  const keys = memoryKeys('tally')
  return {
    janitor: memoryKeyJanitor(database, 'tally'),
    async begin() {
      const tx = database.begin()
      return { begun: tx.begun, keys: keys(tx), commit: () => tx.commit(), rollback: () => tx.rollback() }
    },
    blocked: () => time.settle(),
    close: async () => undefined,
  }
})

describe('the verdict on a key', () => {
  const reply = { status: 201, headers: { ETag: '"1"' }, body: '{}' }
  const stored: KeyRecord = { id: 'k', fingerprint: 'a', requestId: 'r', expiresAt: 1000, ...reply }

  it('is fresh when nothing is stored, or nothing any more', () => {
    expect(verdict(undefined, 'a', 0)).toEqual({ kind: 'fresh' })
    expect(verdict(stored, 'a', 1000)).toEqual({ kind: 'fresh' })
    expect(verdict(stored, 'another', 1000)).toEqual({ kind: 'fresh' })
  })

  it('is the stored reply for what was asked before, up to the last millisecond', () => {
    expect(verdict(stored, 'a', 999)).toEqual({ kind: 'replayed', reply })
  })

  it('is a reuse for anything else', () => {
    expect(verdict(stored, 'another', 999)).toEqual({ kind: 'reused' })
  })
})
