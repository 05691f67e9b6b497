import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemTimers } from '@cauce/kit/core/clock'
import { fakeLabs, labOf } from '../lab/testing-labs.ts'
import { CliError } from '../exit.ts'
import { createShell, type World } from '../shell.ts'
import type { Lang } from '../texts.ts'
import { refuseConnection, temporaryDirectory, testWorld, typed } from '../testing.ts'
import { lab, type LabOptions } from './lab.ts'

interface Given {
  readonly json?: true
  readonly lang?: Lang
  readonly world?: Partial<World>
}

function begin(program: string, id?: string, options: LabOptions = {}, { json, lang = 'en', world = {} }: Given = {}) {
  const tested = testWorld(refuseConnection, {
    timers: systemTimers,
    env: { PATH: process.env.PATH, DATABASE_URL: 'postgres://mine' },
    ...world,
  })
  const { signals, printed, directory } = tested
  const ended = lab(createShell(tested, lang, { json }), id, options, program)
  return { ended, signals, printed, directory, data: join(directory, '.cauce') }
}

async function play(...args: Parameters<typeof begin>) {
  const { ended, printed, ...rest } = begin(...args)
  return { code: await ended, ...printed, ...rest }
}

const linesOf = (text: string) => text.trim().split('\n')
const bookIn = (data: string) => JSON.parse(readFileSync(join(data, 'labs.json'), 'utf8')) as unknown

test('lists the labs by phase, with what has been passed, how far one is and what comes next', async () => {
  const directory = temporaryDirectory()
  const at = '2026-01-01T00:00:00.000Z'
  const entries = { counter: { verdict: 'pass', own: true, at }, race: { verdict: 'fail', own: false, at } }
  mkdirSync(join(directory, '.cauce'))
  writeFileSync(join(directory, '.cauce/labs.json'), JSON.stringify({ labs: entries }))
  const { code, out } = await play(fakeLabs(), undefined, {}, { world: { directory } })
  expect(code).toBe(0)
  expect(out).toContain('1 of 3 passed.')
  expect(out).toContain('Phase 1 · Concurrency  1 of 2 passed\n  ✓  counter   The title of counter ★\n  ✗  race ')
  expect(out).toContain('  ·  transfer  The title of transfer')
  expect(out).not.toContain('Phase 3')
  expect(out).toContain('Next: npx cauce lab race')
  const spanish = await play(fakeLabs(), undefined, {}, { world: { directory }, lang: 'es' })
  expect(spanish.out).toContain('Fase 1 · es: Concurrency  1 de 2 superados')

  const { out: json } = await play(fakeLabs(), undefined, {}, { world: { directory }, json: true })
  expect(JSON.parse(json)).toMatchObject({
    passed: 1,
    total: 3,
    next: 'race',
    labs: [{ id: 'counter', state: 'passed', ownHolds: true, at }, { state: 'failed' }, { state: 'untried', at: null }],
  })
})

test('a run says the concept, shows the table, the verdict, and where to go from here', async () => {
  const notes = `start(); variant('naive'); say({ type: 'note', variant: 'mutex', text: { en: 'It waited', es: 'Esperó' } });
    variant('mutex'); finish()`
  const { code, out, err, data } = await play(fakeLabs(notes), 'counter')
  expect(code).toBe(0)
  expect(out).toContain('The title of counter\ncounter · phase 1, Concurrency\n\nThe concept of counter\n')
  expect(out).toContain('  mutex  must hold  One at a time\n')
  expect(out).toContain('  buyers  1,000  How many, from 2 to 5,000\n\nSeed 1, size default\n')
  expect(out).toMatch(/variant +expected +observed +lost +time \(ms\)\n✓ +naive +fails +fails +3 +1,23[45]\n/)
  expect(out).toContain('What was seen\n  mutex: It waited\n')
  expect(out).toContain('✓ Passed: the failure shows with naive, and mutex holds.\n')
  expect(out).toContain('services/inventory/decide.ts: The real one')
  expect(out).toContain('npx cauce lab counter --scaffold mine.ts')
  expect(out).toMatch(/Next: npx cauce lab race .*\n$/)
  expect(err).toMatch(/✓ mutex +holds +lost 0 · time 1,23[45] ms/)
  expect(bookIn(data)).toMatchObject({ labs: { counter: { verdict: 'pass', own: false } } })

  const spanish = await play(fakeLabs(notes), 'counter', {}, { lang: 'es' })
  expect(spanish.out).toContain('es: The concept of counter')
  expect(spanish.out).toContain('mutex: Esperó')
  expect(spanish.out).toContain('Superado: el fallo se ve con naive y mutex aguanta.')
})

test('with --json stdout is one line for each lab, and nothing else', async () => {
  const { code, out } = await play(fakeLabs(), 'counter', { seed: 7 }, { json: true })
  expect(code).toBe(0)
  expect(linesOf(out)).toHaveLength(1)
  const measured = { ms: 1234.5 }
  expect(JSON.parse(out)).toEqual({
    id: 'counter',
    phase: 1,
    verdict: 'pass',
    seed: 7,
    ms: 2500,
    variants: [
      { name: 'naive', expected: 'fails', observed: 'fails', measured: { lost: 3, ...measured } },
      { name: 'mutex', expected: 'holds', observed: 'holds', measured: { lost: 0, ...measured } },
    ],
  })
})

test('on a narrow terminal the titles of the table break', async () => {
  const stdout = { text: '', columns: 50, write: (text: string) => (stdout.text += text) }
  await play(fakeLabs(), 'counter', {}, { world: { stdout } })
  expect(stdout.text).toMatch(/variant +expected +observed +lost +time \(ms\)\n/)
  const long = { measures: { lost: { title: { en: 'units that nobody ever counted', es: '…' } } } }
  const wide = fakeLabs('pass()', [labOf('counter', 1, long)])
  stdout.text = ''
  await play(wide, 'counter', {}, { world: { stdout } })
  expect(stdout.text).toMatch(/observed +units that\n +nobody ever\n +counted\n✓/)
})

test('a lab that fails is exit 1, and its next run is first a look at it', async () => {
  const broken = `start(); variant('naive'); variant('mutex', 'fails'); finish()`
  const { code, out, data } = await play(fakeLabs(broken), 'counter')
  expect(code).toBe(1)
  expect(out).toContain('✗ mutex was to hold and did not.')
  expect(out).toContain('It happened with seed 1.')
  expect(bookIn(data)).toMatchObject({ labs: { counter: { verdict: 'fail' } } })
})

test('a small run and a single variant do not count as passed', async () => {
  for (const options of [{ size: 'small' }, { variant: 'mutex' }] as const) {
    const { code, out, data } = await play(fakeLabs(), 'counter', options)
    expect(code).toBe(0)
    expect(out).toContain('It does not count as passed')
    expect(existsSync(join(data, 'labs.json'))).toBe(false)
  }
})

test('a fix of one’s own: begun from the failing one, graded, remembered when it holds', async () => {
  const directory = temporaryDirectory()
  const world = { directory }
  const scaffold = { scaffold: 'mine.ts' }
  const begun = await play(fakeLabs(), 'counter', scaffold, { world })
  expect(begun.out).toContain('  npx cauce lab counter --variant ./mine.ts')
  expect(readFileSync(join(directory, 'mine.ts'), 'utf8')).toContain('counter() {}')
  await expect(begin(fakeLabs(), 'counter', scaffold, { world }).ended).rejects.toThrow('is left as it is')

  const fails = `start(); variant('naive'); variant(own, 'fails'); finish()`
  const failing = await play(fakeLabs(fails), 'counter', { variant: 'mine.ts' }, { world })
  expect(failing.code).toBe(1)
  expect(failing.out).toContain(
    '✗ Your variant does not hold: mine.ts. Its row shows what happened; compare it with the row',
  )
  expect(existsSync(join(failing.data, 'labs.json'))).toBe(false)

  const holding = await play(fakeLabs(), 'counter', { variant: './mine.ts' }, { world, json: true })
  expect(holding.code).toBe(0)
  expect(JSON.parse(holding.out)).toMatchObject({ variants: [{ name: 'naive' }, { name: './mine.ts' }] })
  expect(bookIn(holding.data)).toMatchObject({ labs: { counter: { verdict: null, own: true } } })
})

test.each<[string, string | undefined, LabOptions, string]>([
  ['an unknown lab', 'conter', {}, 'There is no lab conter. Did you mean counter?'],
  ['an unknown phase', undefined, { phase: 9 }, 'There are no labs of phase 9. There are: 1, 2'],
  ['an unknown variant', 'counter', { variant: 'mutx' }, 'Did you mean mutex? It has: naive, mutex'],
  ['a file that is not there', 'counter', { variant: './a.ts' }, 'npx cauce lab counter --scaffold ./a.ts'],
  ['a variant for a lab that takes none', 'race', { variant: './a.ts' }, 'These do: counter, transfer'],
  ['a scaffold of a lab that has none', 'race', { scaffold: 'a.ts' }, 'These do: counter, transfer'],
  ['a scaffold that is no TypeScript', 'counter', { scaffold: 'a.py' }, 'ends in .ts, not a.py'],
  ['an unknown parameter', 'counter', { set: { buyer: 3 } }, 'Did you mean buyers? It has: buyers (2–5000)'],
  ['a parameter of a lab without', 'race', { set: { buyers: 3 } }, 'race has no parameters.'],
  ['a value out of range', 'counter', { set: { buyers: 1 } }, 'for counter it must be from 2 to 5000'],
  ['a lab and all of them', 'counter', { all: true }, 'counter and --all do not go together.'],
  [
    'a scaffold to run',
    'counter',
    { scaffold: 'a.ts', variant: 'mutex' },
    '--scaffold and --variant do not go together.',
  ],
  ['a variant of every lab', undefined, { all: true, variant: 'mutex' }, '--variant needs a lab'],
  ['a seed for the list', undefined, { seed: 3 }, '--seed needs something to run'],
])('%s is refused with what is possible', async (_, id, options, message) => {
  const { ended, printed } = begin(fakeLabs(), id, options)
  const error = await ended.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(CliError)
  expect(error).toMatchObject({ exit: 2, message: expect.stringContaining(message) })
  expect(printed.out).toBe('')
})

test.each([
  ['lab counter --set buyers', '--set <name=value> cannot be “buyers”. Write it as name=value, with a whole number.'],
  ['lab counter --size big', '--size <size> cannot be “big”. Choose from: default, small.'],
  ['lab --phase one', '--phase <n> cannot be “one”. It must be a whole number from 0 to 99.'],
])('“%s” is a mistake of usage', async (line, message) => {
  const { code, out, err } = await typed(line)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err.split('\n')[0]).toBe(message)
})

test('--all runs every lab; one that breaks, with its process, is not in the way of the others', async () => {
  const breaks = `if (id !== 'race') return pass(); start(); console.error('out of memory'); process.exit(9)`
  const { code, out, err, data } = await play(fakeLabs(breaks), undefined, { all: true })
  expect(code).toBe(1)
  expect(err).toMatch(/✓ counter +passed +2\.50 s\n/)
  expect(err).toContain('race could not be run: The process of the lab ended (exit 9).\nout of memory\n')
  expect(out).toMatch(
    /phase +lab +verdict +time\n✓ +1 +counter +passed +2\.50 s\n✗ +1 +race +not passed +–\n✓ +2 +transfer/,
  )
  expect(out).toContain('2 of 3 passed in ')
  expect(out).toContain('npx cauce lab race')
  expect(Object.keys((bookIn(data) as { labs: object }).labs)).toEqual(['counter', 'transfer'])

  const { out: json } = await play(fakeLabs(breaks), undefined, { all: true }, { json: true })
  expect(linesOf(json).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { id: 'counter', verdict: 'pass' },
    { id: 'race', verdict: 'fail', error: { code: 'ended', message: expect.stringContaining('out of memory') } },
    { id: 'transfer', verdict: 'pass' },
  ])
})

test('--phase runs those of a phase', async () => {
  const { code, out } = await play(fakeLabs(), undefined, { phase: 1 }, { json: true })
  expect(code).toBe(0)
  expect(linesOf(out).map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['counter', 'race'])
})

test('what a variant prints is on stderr', async () => {
  const prints = `start(); console.log('here'); process.stdout.write('and here'); variant('naive'); variant('mutex'); finish()`
  const { code, out, err } = await play(fakeLabs(prints), 'counter', {}, { json: true })
  expect(code).toBe(0)
  expect(linesOf(out)).toHaveLength(1)
  expect(err).toContain('here\n')
  expect(err).toContain('and here\n')
})

test('the labs know nothing of the server’s settings and data', async () => {
  const tells = `start(); console.log([process.env.DATABASE_URL, process.env.CAUCE_DATA, process.cwd()].join(' ')); finish()`
  const { err, data } = await play(fakeLabs(tells), 'counter')
  expect(err).toMatch(new RegExp(` ${data}/labs \\S*/cauce-lab-\\w+\n`))
})

/** Where the labs of a test put what they make. */
function placeOf(printed: { err: string }): string {
  return /place (\S+)/.exec(printed.err)?.[1] ?? ''
}
const tellsPlace = `start(); console.log('place ' + process.cwd());`
const tellsAndHangs = `${tellsPlace} writeFileSync('left', ''); await hang()`

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition() && tries < 1_500; tries++) await systemTimers.sleep(10)
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s ends the labs: 130, and nothing is left', async (signal) => {
  const ends = `process.on('disconnect', () => process.exit(130)); ${tellsAndHangs}`
  const { ended, printed, signals } = begin(fakeLabs(ends), undefined, { all: true }, { json: true })
  await until(() => placeOf(printed) !== '')
  expect(existsSync(placeOf(printed))).toBe(true)
  signals.emit(signal, signal)
  expect(await ended).toBe(130)
  expect(existsSync(placeOf(printed))).toBe(false)
  expect(printed.out).toBe('')
  expect(printed.err).toContain('Stopping')
  expect(signals.listenerCount(signal)).toBe(0)
})

test('a lab that does not listen is ended by a second Ctrl-C', async () => {
  let ms = 0
  const clock = { now: () => 0, monotonic: () => ms }
  const { ended, printed, signals } = begin(fakeLabs(tellsAndHangs), 'counter', {}, { world: { clock } })
  await until(() => placeOf(printed) !== '')
  signals.emit('SIGINT', 'SIGINT')
  signals.emit('SIGINT', 'SIGINT') // npm passes on what the terminal has sent already
  ms = 2_000
  signals.emit('SIGINT', 'SIGINT')
  expect(await ended).toBe(130)
  expect(existsSync(placeOf(printed))).toBe(false)
})

test('a lab that says nothing for two minutes is ended, and the next one runs', async () => {
  const hangs = `if (id !== 'counter') return pass(); ${tellsPlace} for (;;);`
  // Two minutes pass as soon as it hangs; everything else takes its time.
  const hung = () => placeOf(tested.printed) !== '' && !tested.printed.err.includes('Nothing happened')
  const timers = {
    ...systemTimers,
    after: (waitMs: number, task: () => void) => {
      if (waitMs < 100_000) return systemTimers.after(waitMs, task)
      const over = new AbortController()
      void until(() => over.signal.aborted || hung()).then(() => (over.signal.aborted ? undefined : task()))
      return () => over.abort()
    },
  }
  const tested = begin(fakeLabs(hangs), undefined, { phase: 1 }, { world: { timers }, json: true })
  expect(await tested.ended).toBe(1)
  const [first, second] = linesOf(tested.printed.out).map((line) => JSON.parse(line) as object)
  expect(first).toMatchObject({ id: 'counter', error: { code: 'silent', message: expect.stringContaining('120 s') } })
  expect(second).toMatchObject({ id: 'race', verdict: 'pass' })
})

test('a data directory that cannot be used is a note, not an error', async () => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, '.cauce'), 'a file')
  const { code, err } = await play(fakeLabs(), 'counter', {}, { world: { directory } })
  expect(code).toBe(0)
  expect(err).toContain('This is not remembered: ')
  expect(readdirSync(directory)).toEqual(['.cauce'])
})

test('labs that do not start say why', async () => {
  const file = join(temporaryDirectory(), 'labs.mjs')
  writeFileSync(file, `throw new Error('a lab is broken')`)
  await expect(begin(file).ended).rejects.toThrow(/The labs do not start: .*a lab is broken/s)
})

test('--explain reads the page in the reader’s language, without running anything', async () => {
  const none = join(temporaryDirectory(), 'there-is-no-program.mjs')
  const english = await play(none, 'stock-counter', { explain: true })
  expect(english.out).toContain('A stock counter and 100 buyers\n')
  expect(english.out).toContain('  labs/concurrency/stock-counter.naive.ts\n  │ const buy: Buy')
  const spanish = await play(none, 'stock-counter', { explain: true }, { lang: 'es' })
  expect(spanish.out).toContain('Un contador de stock y 100 compradores\n')
  await expect(begin(fakeLabs(), 'conter', { explain: true }).ended).rejects.toThrow('Did you mean counter?')
  await expect(begin(fakeLabs(), 'counter', { explain: true }).ended).rejects.toThrow('docs/labs/counter.md')
})
