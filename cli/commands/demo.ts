/** `cauce demo`: shows what Cauce does, on a server that runs. */
import { integer } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { makePlan } from '../demo/plan.ts'
import { prepare } from '../demo/prepare.ts'
import { createProgress } from '../demo/progress.ts'
import { PATIENCE_MS, runDemo } from '../demo/run.ts'
import { showSummary } from '../demo/summary.ts'
import { exits, type ExitCode } from '../exit.ts'
import type { Shell } from '../shell.ts'
import { examples } from '../usage.ts'

interface Options {
  readonly orders: number
  readonly concurrency: number
  readonly seed: number
  readonly customers?: number | undefined
  readonly products: number
}

export const addDemo: AddCommand = (parent, { t, run }) => {
  parent
    .command('demo')
    .description(t('demo.about'))
    .option('--orders <n>', t('demo.orders'), integer(t, 1, 1_000_000), 100)
    .option('--concurrency <n>', t('demo.concurrency'), integer(t, 1, 500), 32)
    .option('--seed <n>', t('demo.seed'), integer(t, 0, 4_294_967_295), 1)
    .option('--customers <n>', t('demo.customers'), integer(t, 1, 10_000))
    .option('--products <n>', t('demo.products'), integer(t, 1, 1_000), 12)
    .addHelpText(
      'after',
      examples(t, ['demo --orders 1000', 'demo --orders 20 --seed 7', 'demo --orders 500 --concurrency 100 --json']),
    )
    .action((options) => run((shell) => demo(shell, options)))
}

async function demo(shell: Shell, options: Options): Promise<ExitCode> {
  const { t, output, world } = shell
  const { orders, seed, concurrency, products } = options
  const customers = options.customers ?? Math.min(200, Math.max(2, Math.ceil(orders / 20)))
  const plan = makePlan({ orders, customers, products, seed })
  // The end of a UUIDv7 is its random part: two runs at the same moment are two runs.
  const run = world.ids.draw().slice(-8)
  output.note(t('demo.preparing', { products, customers, run, seed }))
  const progress = createProgress(output, t, orders)
  const { api, client } = shell.connect({ patienceMs: PATIENCE_MS, quiet: () => progress.onTerminal })
  await prepare({ api, plan, run, concurrency: Math.min(concurrency, 16) })
  const summary = await runDemo({ shell, api, client, plan, run, seed, concurrency, progress })
  output.result(summary, () => `\n${showSummary(summary, shell)}`)
  return summary.ok ? exits.ok : exits.failed
}
