/** What people see of simulations: progress, what was reached, a failure's story and how to replay it. */
import type { Told } from './many.ts'
import type { Verdict } from './simulate.ts'

const out = (text: string) => void process.stdout.write(`${text}\n`)
const err = (text: string) => void process.stderr.write(text)

export function reportOne(
  verdict: Verdict,
  small: Verdict | undefined,
  { json, mutant }: { readonly json: boolean; readonly mutant: string | undefined },
): void {
  const { seed, violation, hash, inputs, turns, virtualMs, size, enabled, struck, covered } = verdict
  if (json) {
    const document = {
      seed,
      ok: !violation,
      violation: violation && { invariant: violation.invariant, message: violation.message },
      hash,
      inputs,
      turns,
      virtualMs,
      size,
      faults: Object.fromEntries(struck),
      covered: Object.fromEntries(covered),
    }
    return out(JSON.stringify(document))
  }
  const minutes = (virtualMs / 60_000).toFixed(1)
  out(
    `seed ${seed}: ${violation ? 'VIOLATION' : 'ok'} · ${inputs} inputs in ${minutes} virtual minutes · trace ${hash}`,
  )
  out(`faults: ${[...enabled].map((name) => `${name} ${struck.get(name) ?? 0}`).join(', ') || 'none'}`)
  if (!violation || !small) return
  out(`\n${violation.message}\n`)
  out(`shrunk: ${small.size} acts, faults: ${[...small.enabled].join(', ') || 'none'}\n`)
  for (const { atMs, who, what } of small.timeline.slice(-60))
    out(`${String(atMs).padStart(9)}  ${who.padEnd(10)} ${what}`)
  out(`\n${small.violation?.message}`)
  out(`replay: npm run sim -- --seed ${seed}${mutant === undefined ? '' : ` --mutant ${mutant}`}`)
}

export interface ManyReport {
  readonly failures: readonly Told[]
  add(told: Told): void
  end(): void
}

export function reportMany({ count, json }: { readonly count: number; readonly json: boolean }): ManyReport {
  const begun = performance.now()
  const failures: Told[] = []
  const covered = new Map<string, number>()
  const sums = { runs: 0, inputs: 0, turns: 0, virtualMs: 0, faults: 0 }
  let shownAt = 0
  const perSecond = (amount: number) => Math.round((amount / (performance.now() - begun)) * 1000)
  const show = () =>
    err(`\r${sums.runs} of ${count} seeds · ${perSecond(sums.inputs)} inputs/s · ${failures.length} failed `)
  return {
    failures,
    add(told) {
      sums.runs += 1
      sums.inputs += told.inputs
      sums.turns += told.turns
      sums.virtualMs += told.virtualMs
      for (const times of Object.values(told.struck)) sums.faults += times
      for (const [what, times] of Object.entries(told.covered)) covered.set(what, (covered.get(what) ?? 0) + times)
      if (told.violation) failures.push(told)
      if (performance.now() - shownAt > 500) {
        shownAt = performance.now()
        show()
      }
    },
    end() {
      show()
      err('\n')
      const virtualHours = sums.virtualMs / 3_600_000
      if (json) {
        const document = {
          ...sums,
          virtualHours,
          seconds: (performance.now() - begun) / 1000,
          failures,
          covered: Object.fromEntries(covered),
        }
        return out(JSON.stringify(document))
      }
      out(
        `${sums.runs} seeds, ${sums.inputs} inputs, ${sums.faults} faults, ${virtualHours.toFixed(1)} virtual hours in ${((performance.now() - begun) / 1000).toFixed(1)} s`,
      )
      for (const [what, times] of [...covered].toSorted(([a], [b]) => (a < b ? -1 : 1)))
        out(`${String(times).padStart(9)}  ${what}`)
      for (const { seed, violation } of failures) out(`seed ${seed}: ${violation?.message}`)
    },
  }
}
