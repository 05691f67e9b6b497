/** A demonstration on a server that runs: the orders of a plan from their placing to their end, then the books. */
import { explain } from '../explain.ts'
import type { Audit } from '../http/api.ts'
import type { Shell } from '../shell.ts'
import { placeAndFollow, type FlowOptions } from './flow.ts'
import { summarise, type Summary } from './summary.ts'

export interface Run extends FlowOptions {
  readonly shell: Shell
  readonly seed: number
}

export async function runDemo(demo: Run): Promise<Summary> {
  const { shell, client, plan, run, seed } = demo
  const flowed = await placeAndFollow(demo)
  shell.output.note(shell.t('demo.auditing'))
  const audit = await auditOf(demo)
  return summarise({ run, seed, orders: plan.orders.length, ...flowed, stats: client.stats, audit })
}

async function auditOf({ api, shell }: Run): Promise<Audit | null> {
  try {
    return await api.audit()
  } catch (error) {
    const { output, t, settings } = shell
    const context = { t, colour: output.noteColour, dataDirectory: settings.dataDirectory }
    output.note(explain(error, context).lines.join('\n'))
    return null
  }
}
