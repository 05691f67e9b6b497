import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../testing.ts'
import { encodeLine, replay } from './journal-lines.ts'
import { type Book, openStore, Store } from './store.ts'
import { Journal } from './journal.ts'

interface Count {
  readonly key: string
  readonly value: number
}

class Counts implements Book<Count> {
  readonly name = 'counts'
  readonly kept = new Map<string, number>()
  get size() {
    return this.kept.size
  }
  put({ key, value }: Count) {
    this.kept.set(key, value)
  }
  *rows() {
    for (const [key, value] of this.kept) yield { key, value }
  }
}

const fail = (error: Error) => {
  throw error
}

/** It holds cards, mails and the webhooks' secret. */
const modeOf = (directory: string): number => statSync(join(directory, 'sandbox.journal')).mode & 0o777

const increment = (store: Store, counts: Counts, key: string): Promise<number> =>
  store.change(counts, key, () => {
    const value = (counts.kept.get(key) ?? 0) + 1
    return { row: { key, value }, answer: value }
  })

test('S2: decisions about one subject see each other, and a restart sees them all', async () => {
  const directory = temporaryDirectory()
  const counts = new Counts()
  const store = await openStore(directory, [counts], fail)
  const answers = await Promise.all(Array.from({ length: 90 }, (_, i) => increment(store, counts, `k${i % 3}`)))
  expect(answers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 90 }, (_, i) => 1 + Math.floor(i / 3)))
  await store.close()
  expect(modeOf(directory)).toBe(0o600)
  const again = new Counts()
  await (await openStore(directory, [again], fail)).close()
  expect([...again.kept]).toEqual([...counts.kept])
})

test('S1: a row that was not stored is not there, and the next decision about it is made', async () => {
  let full = true
  const written: string[] = []
  const file = {
    async appendFile(bytes: Buffer) {
      if (full) throw new Error('no space left on device')
      written.push(String(bytes))
    },
    async datasync() {},
    async truncate() {},
    async close() {},
  }
  const counts = new Counts()
  const store = new Store(new Journal(file, 0, fail))
  const refused = await Promise.allSettled([increment(store, counts, 'a'), increment(store, counts, 'a')])
  expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(counts.kept.size).toBe(0)
  full = false
  expect(await increment(store, counts, 'a')).toBe(1)
  expect(written).toEqual([encodeLine('["counts",{"key":"a","value":1}]')])
})

test('S3: a journal of mostly history is rewritten at start to one line per row', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'sandbox.journal')
  const lines = Array.from({ length: 1500 }, (_, i) =>
    encodeLine(JSON.stringify(['counts', { key: `k${i % 5}`, value: i }])),
  )
  writeFileSync(path, lines.join(''))
  const counts = new Counts()
  const store = await openStore(directory, [counts], fail)
  expect(await increment(store, counts, 'k0')).toBe(1496)
  await store.close()
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(7)
  expect(modeOf(directory)).toBe(0o600)
  const again = new Counts()
  await (await openStore(directory, [again], fail)).close()
  expect([...again.kept]).toEqual([
    ['k0', 1496],
    ['k1', 1496],
    ['k2', 1497],
    ['k3', 1498],
    ['k4', 1499],
  ])
})

test('rows of a book that is not there stop the start', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'sandbox.journal')
  writeFileSync(path, encodeLine('["pigeons",{}]'))
  await expect(openStore(directory, [new Counts()], fail)).rejects.toThrow("holds 'pigeons'")
  expect(replay(path, () => {}).lines).toBe(1)
})
