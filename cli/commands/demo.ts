/**
 * `cauce demo`: shows what Cauce does, on a server that runs. With `--crash` on one of its own, which it kills; with `--naive`
 * the same for a shop that was written in a hurry.
 */
import { integer } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { crash } from '../demo/crash/crash.ts'
import { PATIENCE_MS } from '../demo/flow.ts'
import { makePlan } from '../demo/plan.ts'
import { prepare } from '../demo/prepare.ts'
import { createProgress } from '../demo/progress.ts'
import { runDemo } from '../demo/run.ts'
import { showSummary } from '../demo/summary.ts'
import { exits, usageError, type ExitCode } from '../exit.ts'
import type { Shell } from '../shell.ts'
import type { Translate } from '../texts.ts'
import { examples } from '../usage.ts'

interface Options {
  readonly orders?: number | undefined
  readonly concurrency: number
  readonly seed: number
  readonly customers?: number | undefined
  readonly products: number
  readonly cards: number
  readonly crash?: true | undefined
  readonly naive?: true | undefined
  readonly kills?: number | undefined
  readonly databaseKills?: number | undefined
}

const defaults = { orders: 100, crashOrders: 300, kills: 3, databaseKills: 1 } as const

export const addDemo: AddCommand = (parent, { t, run }) => {
  parent
    .command('demo')
    .description(t('demo.about'))
    .option('--orders <n>', ordersText(t), integer(t, 1, 1_000_000))
    .option('--concurrency <n>', t('demo.concurrency'), integer(t, 1, 500), 32)
    .option('--seed <n>', t('demo.seed'), integer(t, 0, 4_294_967_295), 1)
    .option('--customers <n>', t('demo.customers'), integer(t, 1, 10_000))
    .option('--products <n>', t('demo.products'), integer(t, 1, 1_000), 12)
    .option('--cards <share>', t('demo.cards'), integer(t, 0, 100), 40)
    .option('--crash', t('crash.about'))
    .option('--naive', t('crash.naiveAbout'))
    .option('--kills <n>', `${t('crash.killsAbout')} (${t('help.default')}: ${defaults.kills})`, integer(t, 0, 20))
    .option(
      '--database-kills <n>',
      `${t('crash.databaseKillsAbout')} (${t('help.default')}: ${defaults.databaseKills})`,
      integer(t, 0, 20),
    )
    .addHelpText(
      'after',
      examples(t, [
        'demo --orders 1000',
        'demo --orders 20 --seed 7 --cards 100',
        'demo --orders 500 --concurrency 100 --json',
        'demo --crash',
        'demo --crash --naive --orders 500 --kills 5',
      ]),
    )
    .action((options) => run((shell) => demo(shell, options)))
}

const ordersText = (t: Translate): string =>
  `${t('demo.orders')} (${t('help.default')}: ${defaults.orders}; --crash, --naive: ${defaults.crashOrders})`

async function demo(shell: Shell, options: Options): Promise<ExitCode> {
  const { t } = shell
  const { seed, concurrency, products, cards, kills, databaseKills } = options
  const isCrash = options.crash === true || options.naive === true
  const orders = options.orders ?? (isCrash ? defaults.crashOrders : defaults.orders)
  const customers = options.customers ?? Math.min(200, Math.max(2, Math.ceil(orders / 20)))
  const planned = { orders, customers, products, cards, seed }
  if (isCrash) {
    return crash(shell, {
      ...planned,
      concurrency,
      crash: options.crash === true,
      naive: options.naive === true,
      kills: kills ?? defaults.kills,
      databaseKills: databaseKills ?? defaults.databaseKills,
    })
  }
  for (const [option, value] of Object.entries({ '--kills': kills, '--database-kills': databaseKills })) {
    if (value !== undefined) throw usageError(t('crash.onlyWith', { option }))
  }
  return onRunningServer(shell, planned, concurrency)
}

async function onRunningServer(
  shell: Shell,
  planned: Parameters<typeof makePlan>[0],
  concurrency: number,
): Promise<ExitCode> {
  const { t, output, world } = shell
  const { products, customers, seed, orders } = planned
  const plan = makePlan(planned)
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
