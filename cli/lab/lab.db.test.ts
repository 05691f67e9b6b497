/** The labs as they are typed: the real program on real servers, and nothing left of it however it ends. */
import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { LabResult } from '@cauce/labs/contract'
import { temporaryDirectory } from '../testing.ts'
import { processesOf, typed } from '../testing-processes.ts'

function type(...args: string[]) {
  const place = temporaryDirectory()
  chmodSync(place, 0o755) // The account of the database passes through.
  const begin = (source?: string) => {
    if (source !== undefined) writeFileSync(join(place, 'mine.ts'), source)
    const env = { PATH: process.env.PATH, LANG: 'en', TMPDIR: place, CAUCE_DATA: join(place, 'data') }
    return typed(['lab', ...args], place, env)
  }
  return { place, begin }
}

const directoriesOf = (place: string) => readdirSync(place).filter((name) => name.startsWith('cauce-lab-'))

async function expectNothingLeft(place: string): Promise<void> {
  await expect.poll(() => [...processesOf(place), ...directoriesOf(place)], { timeout: 15_000 }).toEqual([])
}

const locked = `import type { Buy } from '@cauce/labs/concurrency/stock-counter.naive'
const buy: Buy = ({ transaction }) => transaction(async (sql) => {
  const [stock] = await sql<{ left: number }>('SELECT "left" FROM stock FOR UPDATE')
  if (!stock || stock.left === 0) return false
  await sql('UPDATE stock SET "left" = $1', [stock.left - 1])
  return true
})
export default buy
`

test('a fix of one’s own is graded beside the failing variant', { timeout: 90_000 }, async () => {
  const { place, begin } = type('stock-counter', '--size', 'small', '--json', '--variant', './mine.ts')
  const { printed, ended } = begin(locked)
  expect({ code: await ended, err: printed.err }).toMatchObject({ code: 0 })
  expect(JSON.parse(printed.out) as LabResult).toMatchObject({
    id: 'stock-counter',
    verdict: 'pass',
    seed: 1,
    variants: [
      { name: 'read-then-write', observed: 'fails' },
      { name: './mine.ts', expected: 'holds', observed: 'holds', measured: { lost: 0, oversold: 0 } },
    ],
  })
  await expectNothingLeft(place)
})

test('Ctrl-C in the middle is 130, and nothing is left', { timeout: 90_000 }, async () => {
  const { place, begin } = type('stock-counter', '--json')
  const { child, printed, ended, until } = begin()
  await until('✓ read-then-write')
  expect(processesOf(place).length).toBeGreaterThan(process.platform === 'linux' ? 3 : -1)
  expect(directoriesOf(place)).not.toEqual([])
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(printed.out).toBe('')
  expect(directoriesOf(place)).toEqual([])
  await expectNothingLeft(place)
})

const endless = `export default async () => { console.log('around and around'); for (;;); }`

test('killed while a variant hangs, nothing is left either', { timeout: 90_000 }, async () => {
  const { place, begin } = type('stock-counter', '--size', 'small', '--variant', 'mine.ts')
  const { child, ended, until } = begin(endless)
  await until('around and around')
  expect(directoriesOf(place)).not.toEqual([])
  child.kill('SIGKILL')
  expect(await ended).toBe(null)
  await expectNothingLeft(place)
})
