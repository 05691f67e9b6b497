/** What a lab's workload is given: its numbers, time and chance as parameters, servers, processes, and a way to tell. */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import type { Random } from '@cauce/kit/core/prng'
import { seeded } from '@cauce/kit/core/prng'
import type { ThrowAwayCluster } from '@cauce/kit/database/embedded/throw-away'
import type { Settings } from '@cauce/kit/database/embedded/settings'
import type { Chart, Size, Text } from '../contract.ts'
import { databaseAt, type Clusters, type LabDatabase } from './database.ts'
import { temporaryDirectory } from './directory.ts'
import { startProcess, type LabProcess } from './process.ts'

/** How a process of a lab finds the variant it is to run. */
export interface VariantReference {
  readonly name: string
  /** The JavaScript made of somebody's own file. */
  readonly module?: string
}

export interface Stage<Name extends string = string> {
  readonly size: Size
  readonly seed: number
  readonly parameters: Readonly<Record<Name, number>>
  readonly clock: Clock
  readonly timers: Timers
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal
  /** The variant that runs, for processes that have to load it. */
  readonly variant: VariantReference
  /** A stream of chance, the same for every variant: `random('arrivals')`. */
  random(stream: string): Random
  progress(done: number, total: number): void
  /** Tells what was seen. A few a variant, not one an item. */
  note(text: Text): void
  chart(chart: Chart): void
  /** An empty database on a cluster that other labs use too. */
  database(): Promise<LabDatabase>
  /** A cluster of its own, to be killed, set differently, followed. Takes about a second and a half. */
  cluster(settings?: Settings): Promise<ThrowAwayCluster>
  /** Connections to a cluster of its own, or a standby. */
  connectTo(cluster: ThrowAwayCluster): LabDatabase
  /** An empty directory. */
  directory(): string
  /** Starts a program of this repository in a process that can be killed. @see process.ts */
  start(program: string, input: unknown): Promise<LabProcess>
  /** Runs at the end of the variant, last one first, whatever happened. */
  closing(task: () => Promise<unknown>): void
}

export interface StageOptions extends Pick<
  Stage,
  'size' | 'seed' | 'parameters' | 'clock' | 'timers' | 'signal' | 'variant' | 'progress' | 'note' | 'chart'
> {
  readonly clusters: Clusters
  readonly labId: string
}

export interface OpenStage extends Stage {
  close(): Promise<void>
}

export function openStage(options: StageOptions): OpenStage {
  const { clusters, labId, ...given } = options
  const tasks: (() => Promise<unknown>)[] = []
  const closing = (task: () => Promise<unknown>) => void tasks.push(task)
  return {
    ...given,
    random: (stream) => seeded(given.seed, `${labId} ${stream}`),
    database: () => clusters.database(labId, closing),
    async cluster(settings) {
      const cluster = await clusters.start(settings ? { settings } : {})
      closing(() => cluster.stop())
      return cluster
    },
    connectTo: (cluster) => databaseAt(cluster.url, closing),
    directory() {
      const { path, remove } = temporaryDirectory()
      closing(async () => remove())
      return path
    },
    async start(program, input) {
      const process = await startProcess(program, input)
      closing(() => process.kill())
      return process
    },
    closing,
    async close() {
      for (const task of tasks.splice(0).toReversed()) await task().catch(() => undefined)
    },
  }
}
