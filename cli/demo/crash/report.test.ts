import { expect, test } from 'vitest'
import { createOutput } from '../../output.ts'
import { translator, type Lang } from '../../texts.ts'
import { showReport } from './report.ts'
import type { Trial } from './trial.ts'
import { findings, type Findings } from './verdict.ts'

const none = Object.fromEntries(findings.map((name) => [name, 0])) as unknown as Findings
const cauce: Trial = {
  side: 'cauce',
  orders: 300,
  accepted: 300,
  refused: {},
  terminal: 300,
  completed: 231,
  cancelled: { undeliverable: 9, 'out-of-stock': 60 },
  charges: 120,
  faults: { lostAnswers: 14, refusals: 17 },
  kills: { server: [2_100, 2_300, 2_200], database: [1_800] },
  findings: none,
  audit: { ok: true } as Trial['audit'],
  elapsedMs: 31_000,
  ok: true,
}
const naive: Trial = {
  ...cauce,
  side: 'naive',
  accepted: 254,
  refused: { 'out-of-stock': 30, 'gave-up': 16 },
  audit: null,
  findings: { ...none, doubleCharges: 27, stuck: 12 },
  ok: false,
}

const silent = { write: () => true }
const output = createOutput({ stdout: silent, stderr: silent, env: {}, json: false })
const shown = (report: { cauce: Trial | null; naive: Trial | null }, lang: Lang = 'en') =>
  showReport({ seed: 1, orders: 300, ok: true, ...report }, { t: translator(lang), output })

test('one block says what holds', () => {
  expect(shown({ cauce, naive: null }).split('\n')).toEqual([
    '300 accepted, 300 terminal (231 completed, 60 out of stock (out-of-stock), 9 undeliverable (undeliverable))',
    '0 double charges (by the card processor’s own read-out: 120 charges; it lost 14 answers and refused 17 calls)',
    '0 lost',
    'books balance',
    'Killed: server 3 times (back after 2.10 s, 2.30 s, 2.20 s), PostgreSQL 1 times (back after 1.80 s); all in 31.0 s',
  ])
})

test('what does not hold is said, and where to look', () => {
  const wrong = { ...cauce, accepted: 299, findings: { ...none, missing: 1, wrongWallets: 2 } }
  const text = shown({ cauce: wrong, naive: null })
  expect(text).toContain('1 lost\nBOOKS DO NOT BALANCE\n  1  accepted orders that do not exist\n  2  wallets whose')
  expect(text).toContain('1 were not accepted')
})

test('both side by side', () => {
  const rows = shown({ cauce, naive })
    .split('\n')
    .map((row) => row.split(/ {2,}/))
  expect(rows[0]).toEqual(['The same 300 orders', 'naive', 'Cauce'])
  expect(rows).toContainEqual(['accepted', '254', '300'])
  expect(rows).toContainEqual(['charged twice', '27', '0'])
  expect(rows).toContainEqual(['orders stuck in the middle', '12', '0'])
})

test('the naive one alone, in Spanish', () => {
  const text = shown({ cauce: null, naive }, 'es')
  expect(text).toContain('con prisas: 254 de 300 aceptados, 231 completados')
  expect(text).toMatch(/cobrados dos veces +27/)
  expect(text).toContain('16 desistieron tras varios 500')
})
