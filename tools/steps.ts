/**
 * The steps of `npm run check`: types, lint, format, imports, dead code. They run two at a time, the longest first, and
 * every one runs to its end, so one round shows everything there is to mend.
 */

import { bin, root, run, seconds, type Outcome } from './run.ts'
import { existingFolders, readCruise } from './structure.ts'

interface Step {
  readonly name: string
  readonly program: string
  readonly args: readonly string[]
  /** What is wrong, from a run that may even have exited 0. Defaults to the output of a run that did not. */
  readonly read?: (outcome: Outcome) => string
}

const steps: readonly Step[] = [
  { name: 'types', program: bin('tsc'), args: ['-p', '.'] },
  { name: 'lint', program: bin('oxlint'), args: ['--type-aware', '.'] },
  {
    name: 'imports',
    program: process.execPath,
    args: [bin('depcruise'), '--config', '.dependency-cruiser.mjs', '--output-type', 'json', ...existingFolders(root)],
    read: ({ stdout, output }) => {
      const problems = readCruise(stdout)
      return problems.length > 0 && !stdout.startsWith('{') ? output : problems.join('\n')
    },
  },
  { name: 'dead code', program: bin('knip'), args: ['--no-progress'] },
  { name: 'format', program: bin('oxfmt'), args: ['--check', '.'] },
]

const atOnce = 2
const timeoutMs = 120_000

/** Prints each step with its time, then the output of those that failed. Resolves to their names. */
export async function check(): Promise<string[]> {
  const waiting = [...steps]
  const failed: { name: string; problems: string }[] = []
  const worker = async (): Promise<void> => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const { name, program, args, read } = step
      const outcome = await run({ program, args, timeoutMs })
      const problems = read?.(outcome) || (outcome.code === 0 ? '' : outcome.output || `exit code ${outcome.code}`)
      console.log(`${problems ? '✗' : '✓'} ${name.padEnd(10)} ${seconds(outcome.ms)}`)
      if (problems) failed.push({ name, problems })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  for (const { name, problems } of failed) console.log(`\n── ${name}\n${problems.trimEnd()}`)
  return failed.map(({ name }) => name)
}
