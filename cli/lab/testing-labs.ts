/** A program of labs in a few lines of JavaScript, which speaks as labs/main.ts does: what a lab does when it runs is given. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabDescription, RoadmapSection } from '@cauce/labs/contract'
import { temporaryDirectory } from '../testing.ts'

const text = (en: string) => ({ en, es: `es: ${en}` })

export const labOf = (
  id: string,
  phase: LabDescription['phase'],
  given: Partial<LabDescription> = {},
): LabDescription => ({
  id,
  phase,
  title: text(`The title of ${id}`),
  concept: text(`The concept of ${id}`),
  watch: text('Look here'),
  parameters: { buyers: { about: text('How many'), default: 1_000, small: 20, min: 2, max: 5_000 } },
  variants: [
    { name: 'naive', expected: 'fails', about: text('Hurried') },
    { name: 'mutex', expected: 'holds', about: text('One at a time') },
  ],
  measures: { lost: { title: text('lost') }, ms: { title: text('time'), unit: 'ms' } },
  production: [{ file: 'services/inventory/decide.ts', about: text('The real one') }],
  takesVariants: true,
  ...given,
})

const phases = ['Concurrency', 'Persistence', 'Nothing yet'].map((title, index) => ({
  number: index + 1,
  title: text(title),
}))
const threeLabs = [
  labOf('counter', 1),
  labOf('race', 1, { takesVariants: false, parameters: {} }),
  labOf('transfer', 2),
]

/** One entry of each state there is. */
const sections: readonly RoadmapSection[] = [
  {
    phase: 1,
    title: text('Concurrency'),
    entries: [
      { kind: 'concept', text: text('Race'), labs: ['counter', 'race'] },
      { kind: 'practice', text: text('Read it'), code: ['kit/core/clock.ts'] },
    ],
  },
  {
    phase: 2,
    title: text('Persistence'),
    entries: [
      { kind: 'concept', text: text('Moving money'), labs: ['transfer'] },
      { kind: 'concept', text: text('Later'), toCome: text('A lab of it') },
    ],
  },
]

/**
 * @param body what a lab does when it runs. It has `command`, `say(event)`, `start()`, `variant(name, observed, expected)`,
 * `finish()` and `pass()`, which does all of it.
 */
export function fakeLabs(body = 'pass()', labs: readonly LabDescription[] = threeLabs): string {
  const file = join(temporaryDirectory(), 'labs.mjs')
  writeFileSync(
    file,
    `
import { writeFileSync } from 'node:fs'
const [verb, argument] = process.argv.slice(2)
const list = ${JSON.stringify({ phases, labs })}
const say = (event) => process.stdout.write(JSON.stringify(event) + '\\n')
const expectedOf = (name) => (name === 'naive' ? 'fails' : 'holds')
async function runLab(command) {
  const { id, seed, size, set = {}, only, own } = command
  const names = own ? ['naive', own] : ['naive', 'mutex'].filter((name) => !only || name === only)
  const variants = []
  const start = () => say({ type: 'started', id, seed, size, parameters: set, variants: names })
  const variant = (name, observed = expectedOf(name), measured = { lost: observed === 'fails' ? 3 : 0, ms: 1234.5 }) => {
    const result = { name, expected: expectedOf(name), observed, measured }
    variants.push(result)
    say({ type: 'variant', name })
    say({ type: 'progress', done: 1, total: 2 })
    say({ type: 'measured', ...result })
  }
  const finish = () => {
    const verdict = variants.every(({ expected, observed }) => expected === observed) ? 'pass' : 'fail'
    say({ type: 'result', result: { id, phase: 1, verdict, seed, ms: 2500, variants } })
  }
  const pass = () => {
    start()
    for (const name of names) variant(name)
    finish()
  }
  const hang = () => new Promise((resolve) => setInterval(() => undefined, 1000))
  await (async () => { ${body} })()
}
if (verb === 'list') say(list)
if (verb === 'roadmap') say({ sections: ${JSON.stringify(sections)}, labs: list.labs })
if (verb === 'scaffold') say({ source: 'export default async function ' + argument + '() {}\\n' })
if (verb === 'run') for (const command of JSON.parse(argument)) await runLab(command)
process.exit(0)
`,
  )
  return file
}
