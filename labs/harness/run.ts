/**
 * Runs a lab: each variant on a stage of its own, the measurements judged, everything told as events.
 *
 * R1. What a variant started is closed before the next one begins, also when it threw.
 * R2. A variant of ours that throws breaks the run: a lab that does not work proves nothing. A learner's own that throws, or
 *     does not end in time, has not held; what it threw is told.
 * R3. With a variant of one's own the naive one runs too: it shows that the workload bites.
 */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import { seconds } from '@cauce/kit/core/clock'
import {
  refusalOf,
  type LabEvent,
  type LabResult,
  type Measured,
  type Observed,
  type Size,
  type VariantResult,
} from '../contract.ts'
import { LabError } from './fault.ts'
import type { Clusters } from './database.ts'
import type { Lab } from './lab.ts'
import { parametersOf, seedOf } from './parameters.ts'
import { openStage, type VariantReference } from './stage.ts'
import { loadVariant } from './variant.ts'

export interface RunRequest {
  readonly seed: number
  readonly size: Size
  /** Values of parameters, by name. */
  readonly set?: Readonly<Record<string, number>>
  /** Only this one of the lab's variants, and those that it is compared with. */
  readonly only?: string
  /** Somebody's own variant (variant.ts), judged beside the naive one. */
  readonly own?: Required<VariantReference>
}

export interface RunSurroundings {
  readonly clusters: Clusters
  readonly clock: Clock
  readonly timers: Timers
  readonly signal: AbortSignal
  emit(event: LabEvent): void
}

const OWN_LIMIT_MS = seconds(30)

interface Planned extends VariantReference {
  readonly expected: Observed
}

/** Throws LabError. */
export async function runLab(lab: Lab, request: RunRequest, surroundings: RunSurroundings): Promise<LabResult> {
  const { id, phase } = lab
  const { clock, emit } = surroundings
  const seed = seedOf(request.seed)
  const refusal = refusalOf(lab, request)
  if (refusal !== undefined) throw new LabError('bad-request', refusal)
  const parameters = parametersOf(lab.parameters, request.size, request.set)
  const plan = planOf(lab, request)
  const begun = clock.monotonic()
  emit({ type: 'started', id, seed, size: request.size, parameters, variants: plan.map(({ name }) => name) })
  const measured = new Map<string, Measured>()
  const variants: VariantResult[] = []
  for (const planned of plan) {
    if (surroundings.signal.aborted) throw new LabError('interrupted', 'Interrupted')
    emit({ type: 'variant', name: planned.name })
    const found = await play(lab, planned, { ...request, seed, parameters }, surroundings)
    const observed = found === undefined || lab.fails(found, measured) ? 'fails' : 'holds'
    const { name, expected } = planned
    measured.set(name, found ?? {})
    variants.push({ name, expected, observed, measured: found ?? {} })
    emit({ type: 'measured', name, expected, observed, measured: found ?? {} })
  }
  const passed = variants.every(({ expected, observed }) => expected === observed)
  const ms = Math.round(clock.monotonic() - begun)
  const result: LabResult = { id, phase, verdict: passed ? 'pass' : 'fail', seed, ms, variants }
  emit({ type: 'result', result })
  return result
}

function planOf(lab: Lab, { only, own }: RunRequest): Planned[] {
  const { id, variants, compares = [], scaffold } = lab
  if (own) {
    if (scaffold === undefined) throw new LabError('bad-request', `${id} takes no variant of your own`)
    const naive = variants.find(({ expected }) => expected === 'fails')
    const needed = variants.filter((variant) => variant === naive || compares.includes(variant.name))
    return [...needed, { ...own, expected: 'holds' }]
  }
  if (only === undefined) return [...variants]
  return variants.filter(({ name }) => name === only || compares.includes(name))
}

/** What the variant measured; undefined when a learner's own did not come to its end. */
async function play(
  lab: Lab,
  planned: Planned,
  { seed, size, parameters }: RunRequest & { readonly parameters: Record<string, number> },
  { clusters, clock, timers, signal, emit }: RunSurroundings,
): Promise<Measured | undefined> {
  const { name, module } = planned
  const isOwn = module !== undefined
  const variant = isOwn ? { name, module } : { name }
  const stop = new AbortController()
  const abort = () => stop.abort()
  signal.addEventListener('abort', abort, { once: true })
  const stage = openStage({
    size,
    seed,
    parameters,
    clock,
    timers,
    variant,
    clusters,
    labId: lab.id,
    signal: stop.signal,
    progress: (done, total) => emit({ type: 'progress', done, total }),
    note: (text) => emit({ type: 'note', variant: name, text }),
    chart: (chart) => emit({ type: 'chart', variant: name, chart }),
  })
  try {
    const code = await loadVariant(lab.variants, variant)
    const work = lab.run(stage, code)
    // One that is given up goes on for a while, and fails when its servers are gone: nobody listens.
    work.catch(() => undefined)
    return await (isOwn ? Promise.race([work, after(OWN_LIMIT_MS, timers, stop.signal)]) : work)
  } catch (error) {
    if (signal.aborted) throw new LabError('interrupted', 'Interrupted', error)
    if (error instanceof LabError) throw error
    const { message } = error as Error
    if (!isOwn) throw new LabError('broken', `${lab.id}, variant ${name}: ${message}`, error)
    emit({ type: 'note', variant: name, text: { en: `It threw: ${message}`, es: `Lanzó un error: ${message}` } })
    return undefined
  } finally {
    stop.abort()
    signal.removeEventListener('abort', abort)
    await stage.close()
  }
}

async function after(ms: number, timers: Timers, signal: AbortSignal): Promise<never> {
  await timers.sleep(ms, signal)
  throw new Error(`it did not end within ${ms / 1000} s`)
}
