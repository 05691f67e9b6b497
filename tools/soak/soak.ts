/**
 * Runs many seeds of every lab and says what was not as promised. Batches go one after the other, or a few at a time; an
 * interrupt ends those in hand and begins no other.
 */
import { runBatch, type Batch, type SeedOutcome, type Surroundings } from './batch.ts'
import { durationOf, Progress } from './progress.ts'
import { deviationsOf, leftBehind, tallyOf, type Deviation, type LabTally } from './tally.ts'

export interface SoakOptions {
  readonly labs: readonly string[]
  readonly seeds: number
  readonly smallSeeds: number
  /** The first seed. */
  readonly from: number
  /** How many batches at a time. */
  readonly jobs: number
}

export interface SoakReport {
  readonly labs: readonly LabTally[]
  readonly deviations: readonly Deviation[]
}

export interface Told {
  /** How far it is, again and again. */
  progress(line: string): void
  /** Something to keep. */
  note(line: string): void
}

/** Seeds that share a process: more would hide what a lab leaves behind, fewer would measure the start of servers. */
const SEEDS_PER_BATCH = 25

export function batchesOf({ labs, seeds, smallSeeds, from }: Omit<SoakOptions, 'jobs'>): Batch[] {
  const sizes = [
    { size: 'default', count: seeds },
    { size: 'small', count: smallSeeds },
  ] as const
  return labs.flatMap((lab) =>
    sizes.flatMap(({ size, count }) => {
      const all = Array.from({ length: count }, (_, n) => from + n)
      const starts = all.filter((_, n) => n % SEEDS_PER_BATCH === 0)
      return starts.map((first) => ({
        lab,
        size,
        seeds: all.slice(first - from, first - from + SEEDS_PER_BATCH),
      }))
    }),
  )
}

export async function soak(options: SoakOptions, surroundings: Surroundings, told: Told): Promise<SoakReport> {
  const batches = batchesOf(options)
  const progress = new Progress(batches, options.jobs)
  const outcomes: SeedOutcome[] = []
  const deviations: Deviation[] = []
  const deviate = (found: readonly Deviation[]) => {
    deviations.push(...found)
    for (const { lab, size, seed, what, replay } of found)
      told.note(`✗ ${lab}, ${size} size, seed ${seed}: ${what}\n  ${replay}`)
  }
  const finish = (outcome: SeedOutcome) => {
    outcomes.push(outcome)
    progress.add(outcome)
    deviate(deviationsOf(outcome))
    const { lab, size, seed } = outcome
    const wrong = deviations.length > 0 ? `, ${deviations.length} deviations` : ''
    told.progress(
      `${progress.done}/${progress.total}${wrong}, ${durationOf(progress.leftMs)} left: ${lab}, ${size} size, seed ${seed}`,
    )
  }
  const waiting = [...batches]
  const worker = async () => {
    for (let batch = waiting.shift(); batch && !surroundings.signal.aborted; batch = waiting.shift()) {
      const left = await runBatch(batch, surroundings, finish)
      if (!surroundings.signal.aborted) deviate(leftBehind(batch.lab, batch.size, batch.seeds.at(-1)!, left))
    }
  }
  await Promise.all(Array.from({ length: options.jobs }, worker))
  return { labs: options.labs.map((lab) => tallyOf(lab, outcomes, deviations)), deviations }
}
