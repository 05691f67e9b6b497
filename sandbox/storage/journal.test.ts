import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../testing.ts'
import { encodeLine, JournalDamaged, replay } from './journal-lines.ts'
import { Journal, type JournalFile, NotStored, openJournal } from './journal.ts'

const nothing = () => {}

function read(path: string): string[] {
  const texts: string[] = []
  replay(path, (text) => texts.push(text))
  return texts
}

/** A file in memory whose next operations can be told to fail. */
function fakeFile() {
  const state = { content: '', flushed: '', failing: new Set<string>(), flushes: 0, waiting: [] as (() => void)[] }
  const perhaps = (operation: string) => {
    if (state.failing.has(operation)) throw new Error(`${operation} fails`)
  }
  const file: JournalFile = {
    async appendFile(bytes) {
      state.content += String(bytes).slice(0, state.failing.has('appendFile') ? 5 : undefined)
      perhaps('appendFile')
    },
    async datasync() {
      await new Promise<void>((resolve) => state.waiting.push(resolve))
      perhaps('datasync')
      state.flushed = state.content
      state.flushes++
    },
    async truncate(length) {
      perhaps('truncate')
      state.content = state.content.slice(0, length)
    },
    async close() {},
  }
  return { file, state, flush: () => state.waiting.shift()?.() }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('the file', () => {
  test('gives back what was appended, in order', async () => {
    const path = join(temporaryDirectory(), 'journal')
    const journal = await openJournal(path, replay(path, nothing).bytes, nothing)
    const texts = Array.from({ length: 500 }, (_, i) => `línea ${i}`)
    await Promise.all(texts.map((text) => journal.append(text)))
    await journal.close()
    expect(read(path)).toEqual(texts)
  })

  test('L2: a torn last line is cut at every byte, and appending goes on behind the last whole one', async () => {
    const path = join(temporaryDirectory(), 'journal')
    const whole = encodeLine('one') + encodeLine('two')
    const last = Buffer.from(encodeLine('trés'))
    for (let kept = 0; kept < last.length; kept++) {
      writeFileSync(path, whole)
      appendFileSync(path, last.subarray(0, kept))
      expect(replay(path, nothing)).toEqual({ lines: 2, bytes: whole.length })
      expect(readFileSync(path, 'utf8')).toBe(whole)
    }
    const journal = await openJournal(path, whole.length, nothing)
    await journal.append('three')
    await journal.close()
    expect(read(path)).toEqual(['one', 'two', 'three'])
  })

  test('L2: a tail of zeros or of several torn lines is cut too', () => {
    const path = join(temporaryDirectory(), 'journal')
    writeFileSync(path, encodeLine('one') + '\0'.repeat(4096) + '\nhalf of someth\n')
    expect(read(path)).toEqual(['one'])
    expect(readFileSync(path, 'utf8')).toBe(encodeLine('one'))
  })

  test('L3: a flipped byte before whole lines is noticed and nothing is changed', () => {
    const path = join(temporaryDirectory(), 'journal')
    const damaged = encodeLine('one').replace('one', 'onf') + encodeLine('two')
    writeFileSync(path, damaged)
    expect(() => read(path)).toThrow(JournalDamaged)
    expect(readFileSync(path, 'utf8')).toBe(damaged)
  })

  test('lines longer and files larger than one read are whole', () => {
    const path = join(temporaryDirectory(), 'journal')
    const texts = ['a'.repeat(700_000), 'b', 'ñ'.repeat(300_000), 'c']
    writeFileSync(path, texts.map(encodeLine).join(''))
    expect(read(path)).toEqual(texts)
  })
})

describe('appending', () => {
  test('J1: what arrives during a flush shares the next one, and nothing resolves before it', async () => {
    const { file, state, flush } = fakeFile()
    const journal = new Journal(file, 0, nothing)
    const resolved: string[] = []
    const append = (text: string) => journal.append(text).then(() => resolved.push(text))
    const all = [append('a'), append('b'), append('c')]
    await turn()
    expect(resolved).toEqual([])
    flush()
    await turn()
    expect(resolved).toEqual(['a'])
    flush()
    await Promise.all(all)
    expect(resolved).toEqual(['a', 'b', 'c'])
    expect(state.flushes).toBe(2)
  })

  test('J2: a full disk refuses, leaves no half line, and is forgotten when there is room', async () => {
    const { file, state, flush } = fakeFile()
    const journal = new Journal(file, 0, () => expect.unreachable())
    state.failing.add('appendFile')
    await expect(journal.append('a')).rejects.toThrow(NotStored)
    expect(state.content).toBe('')
    state.failing.clear()
    const stored = journal.append('b')
    await turn()
    flush()
    await stored
    expect(state.flushed).toBe(encodeLine('b'))
  })

  test.each(['datasync', 'truncate'])('J3: after a failed %s nothing is ever taken again', async (operation) => {
    const { file, state, flush } = fakeFile()
    const broken: Error[] = []
    const journal = new Journal(file, 0, (error) => broken.push(error))
    state.failing.add(operation)
    if (operation === 'truncate') state.failing.add('appendFile')
    const both = Promise.allSettled([journal.append('a'), journal.append('b')])
    await turn()
    flush()
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    state.failing.clear()
    await expect(journal.append('c')).rejects.toThrow(NotStored)
    expect(broken).toHaveLength(1)
  })
})
