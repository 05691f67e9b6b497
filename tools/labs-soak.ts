/**
 * `npm run labs:soak`: every lab with many seeds. The naive variant must show its failure each time and the fixes must hold each
 * time, within 15 s (default size) and 512 MB; nothing may be left behind. Progress goes to standard error, the table to
 * standard output. Exit code 0: all as promised; 1: not; 2: a wrong argument; 130: interrupted.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock, systemTimers } from '../kit/core/clock.ts'
import { labProgram } from '../server/labs-program.ts'
import { canWeigh } from './soak/memory.ts'
import { durationOf } from './soak/progress.ts'
import { soak, type SoakOptions, type Told } from './soak/soak.ts'
import { tableOf } from './soak/tally.ts'

const usage = `npm run labs:soak -- [--labs a,b] [--seeds 20] [--small-seeds 100] [--from 1] [--jobs 1] [--json]

  --labs         only these, by id
  --seeds        how many seeds at default size
  --small-seeds  how many at small size
  --from         the first seed
  --jobs         how many labs at a time; times and limits are meant for one
  --json         the report as one document`

class UsageError extends Error {}

function optionsFrom(args: string[], known: readonly string[]): SoakOptions & { readonly json: boolean } {
  const { values } = parseArgs({
    args,
    options: {
      labs: { type: 'string' },
      seeds: { type: 'string', default: '20' },
      'small-seeds': { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  })
  const labs = values.labs?.split(',').map((id) => id.trim()) ?? known
  const unknown = labs.find((id) => !known.includes(id))
  if (unknown !== undefined) throw new UsageError(`There is no lab ${unknown}. There are: ${known.join(', ')}`)
  return {
    labs,
    seeds: count('seeds', values.seeds, 0, 100_000),
    smallSeeds: count('small-seeds', values['small-seeds'], 0, 100_000),
    from: count('from', values.from, 0, 2_000_000_000),
    jobs: count('jobs', values.jobs, 1, 64),
    json: values.json,
  }
}

function count(name: string, text: string, low: number, high: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= low && value <= high) return value
  throw new UsageError(`--${name} is ${JSON.stringify(text)}; it must be a whole number from ${low} to ${high}`)
}

/** On a terminal the line of progress is written over; elsewhere it is written every now and then. */
function teller(): Told {
  const { stderr } = process
  const apartMs = 15_000
  let last = -Infinity
  return {
    progress(line) {
      if (stderr.isTTY) return void stderr.write(`\r\x1b[K${line.slice(0, Math.max(20, stderr.columns - 1))}`)
      if (systemClock.monotonic() - last < apartMs) return
      last = systemClock.monotonic()
      stderr.write(`${line}\n`)
    },
    note: (line) => void stderr.write(`${stderr.isTTY ? '\r\x1b[K' : ''}${line}\n`),
  }
}

async function knownLabs(env: NodeJS.ProcessEnv): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'cauce-soak-'))
  try {
    const { labs } = await labProgram({ dataDirectory: directory, timers: systemTimers, env }).list()
    return labs.map(({ id }) => id)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function main(): Promise<number> {
  const { env } = process
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort())
  const { json, ...options } = optionsFrom(process.argv.slice(2), await knownLabs(env))
  const told = teller()
  if (!canWeigh) told.note('Memory is not measured: only Linux tells how much processes take together')
  const begun = systemClock.monotonic()
  const surroundings = { clock: systemClock, timers: systemTimers, signal: stopping.signal, env }
  const report = await soak(options, surroundings, told)
  const ms = Math.round(systemClock.monotonic() - begun)
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const interrupted = stopping.signal.aborted
  const ok = report.deviations.length === 0 && !interrupted
  if (json) process.stdout.write(`${JSON.stringify({ ok, interrupted, ms, ...report })}\n`)
  else
    process.stdout.write(
      `${tableOf(report.labs.filter(({ runs }) => runs > 0))}\n\n${closing(report.deviations.length, interrupted, ms)}\n`,
    )
  if (interrupted) return 130
  return ok ? 0 : 1
}

function closing(deviations: number, interrupted: boolean, ms: number): string {
  if (interrupted) return `Interrupted after ${durationOf(ms)}; ${deviations} deviations so far`
  return `${deviations === 0 ? 'All as promised' : `${deviations} deviations, see above`}, ${durationOf(ms)}`
}

const isUsage = (error: unknown): boolean =>
  error instanceof UsageError || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')

process.exitCode = await main().catch((error: Error) => {
  if (!isUsage(error)) throw error
  process.stderr.write(`${error.message}\n\n${usage}\n`)
  return 2
})
