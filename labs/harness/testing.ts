/**
 * Labs as tests: `testPhase(1)` runs every lab of a phase at reduced size, and `grades` runs somebody's own variant.
 * One cluster for a file, started by the first lab that needs one.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import type { LabEvent, LabResult, PhaseNumber } from '../contract.ts'
import { labs } from '../catalogue.ts'
import { Clusters } from './database.ts'
import { temporaryDirectory } from './directory.ts'
import type { Lab } from './lab.ts'
import { runLab, type RunRequest } from './run.ts'
import { loadVariant, makeVariant, scaffoldOf } from './variant.ts'

const SEED = 1
/** A lab starts servers and up to twenty processes; beside other tests that takes its time. */
vi.setConfig({ testTimeout: 90_000 })
const root = fileURLToPath(new URL('../..', import.meta.url))

const clusters = new Clusters()
afterAll(() => clusters.stop())
const events: LabEvent[] = []

export async function runSmall(lab: Lab, request: Partial<RunRequest> = {}): Promise<LabResult> {
  events.length = 0
  return runLab(
    lab,
    { seed: SEED, size: 'small', ...request },
    {
      clusters,
      clock: systemClock,
      timers: systemTimers,
      signal: new AbortController().signal,
      emit: (event) => void events.push(event),
    },
  )
}

export function testPhase(phase: PhaseNumber): void {
  describe.each(labs.filter((lab) => lab.phase === phase))('$id', (lab) => {
    test('shows the failure, and each fix holds', async () => {
      const { verdict, variants } = await runSmall(lab)
      expect({ verdict, variants }, JSON.stringify(events, null, 1)).toMatchObject({
        verdict: 'pass',
        variants: lab.variants.map(({ name, expected }) => ({ name, observed: expected })),
      })
      expect(lab.variants.map(({ expected }) => expected)).toContain('holds')
      const measured = new Set(variants.flatMap((variant) => Object.keys(variant.measured)))
      expect(Object.keys(lab.measures).filter((name) => !measured.has(name))).toEqual([])
    })

    test.each(['.md', '.es.md'])('has its page, docs/labs/<id>%s', (extension) => {
      const path = join(root, 'docs/labs', `${lab.id}${extension}`)
      const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
      expect(text.match(/^#{1,2} .*/gm)?.slice(1)).toEqual(headings[extension === '.md' ? 'en' : 'es'])
      for (const { name } of lab.variants) expect(text).toContain(`\`${name}\``)
    })

    test('the production code it names is there', () => {
      for (const { file } of lab.production) expect(existsSync(join(root, file)), file).toBe(true)
      expect(lab.production).not.toHaveLength(0)
    })

    test.runIf(lab.scaffold !== undefined)('its scaffold can be built on', async () => {
      const { path, remove } = temporaryDirectory()
      const file = join(path, 'mine.ts')
      writeFileSync(file, scaffoldOf(lab))
      const code = await loadVariant([], { name: file, module: await makeVariant(file, path) })
      remove()
      expect(code).toBeTypeOf('function')
    })
  })
}

const headings = {
  en: ['## What happens', '## Why', '## The fixes', '## When to choose which', '## What it costs', '## In Cauce'],
  es: ['## Qué pasa', '## Por qué', '## Los arreglos', '## Cuándo elegir cuál', '## Lo que cuesta', '## En Cauce'],
} as const

/** Runs a variant given as source code, as `cauce lab <id> --variant` does, but alone: what the naive one shows is tested above. */
export async function grade(lab: Lab, source: string): Promise<LabResult> {
  const { path, remove } = temporaryDirectory()
  try {
    const file = join(path, 'mine.ts')
    writeFileSync(file, source)
    const compared = lab.variants.filter(({ name }) => lab.compares?.includes(name))
    return await runSmall(
      { ...lab, variants: compared },
      { own: { name: file, module: await makeVariant(file, path) } },
    )
  } finally {
    remove()
  }
}

/**
 * Somebody's fixes that hold and attempts that do not, by what they are: each is graded. Usually the first of either kind alone,
 * because each takes as long as a run; CAUCE_LAB_GRADES=all grades them all.
 */
export function testGrades(
  lab: Lab,
  attempts: Readonly<Record<string, readonly ['holds' | 'fails', source: string]>>,
): void {
  const all = Object.entries(attempts)
  const firstOf = (kind: 'holds' | 'fails') => all.filter(([, [observed]]) => observed === kind).slice(0, 1)
  const chosen = process.env['CAUCE_LAB_GRADES'] === 'all' ? all : [...firstOf('holds'), ...firstOf('fails')]
  test.each(chosen)(`${lab.id}: %s`, async (_, [observed, source]) => {
    const { variants } = await grade(lab, source)
    expect(variants.at(-1), JSON.stringify(events, null, 1)).toMatchObject({ observed })
  })
}
