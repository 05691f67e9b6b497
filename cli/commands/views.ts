/** `cauce views …`: the tables that are only read, how far they are, and building them anew. */
import { createBar } from '../bar.ts'
import type { AddCommand } from '../command.ts'
import { exits, usageError, type ExitCode } from '../exit.ts'
import type { View } from '../http/views.ts'
import { table } from '../output.ts'
import type { Shell } from '../shell.ts'
import { formatDuration, formatTime } from '../time.ts'
import { examples } from '../usage.ts'

const LOOK_EVERY_MS = 300

export const addViews: AddCommand = (parent, wiring) => {
  const group = parent.command('views').description(wiring.t('views.about'))
  for (const add of [addList, addRebuild]) add(group, wiring)
}

const addList: AddCommand = (parent, { t, run }) => {
  parent
    .command('list')
    .description(t('views.list.about'))
    .addHelpText('after', examples(t, ['views list', 'views list --json']))
    .action(() =>
      run(async (shell) => {
        const views = await shell.connect().api.views()
        shell.output.result(views, () => showViews(views.items, shell))
        return exits.ok
      }),
    )
}

const addRebuild: AddCommand = (parent, { t, run }) => {
  parent
    .command('rebuild')
    .description(t('views.rebuild.about'))
    .argument('[name]', t('views.name'))
    .option('--all', t('views.rebuild.all'))
    .option('--wait', t('views.rebuild.wait'))
    .addHelpText('after', examples(t, ['views rebuild order-list --wait', 'views rebuild --all']))
    .action((name, { all = false, wait = false }) => run((shell) => rebuild(shell, name, all, wait)))
}

async function rebuild(shell: Shell, name: string | undefined, all: boolean, wait: boolean): Promise<ExitCode> {
  const { t, output } = shell
  if ((name === undefined) !== all) throw usageError(t('views.rebuild.which'))
  const { api } = shell.connect()
  const before = (await api.views()).items
  const names = name === undefined ? before.map((view) => view.name) : [name]
  const asked: View[] = []
  for (const each of names) asked.push(await api.rebuildView(each))
  const generations = new Map(before.map((view) => [view.name, view.generation ?? 0]))
  const items = wait ? await waitFor(shell, generations, names) : asked
  output.result({ items }, () => showViews(items, shell))
  if (!wait && !output.json) output.note(t('views.rebuild.asked'))
  return exits.ok
}

/** Until a later generation of each is read. */
async function waitFor(
  shell: Shell,
  before: ReadonlyMap<string, number>,
  names: readonly string[],
): Promise<readonly View[]> {
  const { t, output, world } = shell
  const { api } = shell.connect({ quiet: () => bar.onTerminal })
  const bar = createBar(output, { format: '{percentage} % · {phase} · {duration_formatted}' })
  bar.start(names.length * 100, { phase: t('views.phase.asked') })
  try {
    for (;;) {
      const mine = (await api.views()).items.filter((view) => names.includes(view.name))
      const open = mine.filter((view) => (view.generation ?? 0) <= (before.get(view.name) ?? 0))
      const phase = open[0]?.building?.phase ?? 'tailing'
      const share = open.reduce((sum, view) => sum + shareOf(view), 0)
      bar.update(Math.floor((mine.length - open.length + share) * 100), { phase: t(`views.phase.${phase}`) })
      if (open.length === 0) return mine
      await world.timers.sleep(LOOK_EVERY_MS)
    }
  } finally {
    bar.stop()
  }
}

/** How much of a build is done, as far as can be told. */
function shareOf({ building }: View): number {
  if (building === null || building.phase === 'asked') return 0
  return building.total === 0 ? 0.99 : Math.min(0.99, building.done / building.total)
}

function showViews(views: readonly View[], { t, lang, output: { colour } }: Shell): string {
  const rows = views.map(({ name, service, state, generation, since, lag, oldestMs, building, error }) => [
    name,
    service,
    state === 'active' ? colour.green(t('views.state.active')) : colour.red(t(`views.state.${state}`)),
    generation === null ? '' : String(generation),
    since === null ? '' : formatTime(since, lang),
    String(lag),
    oldestMs > 0 ? formatDuration(oldestMs) : '',
    building === null ? '' : `${t(`views.phase.${building.phase}`)} ${building.done}/${building.total}`,
    building?.error ?? error ?? '',
  ])
  const columns = ['name', 'service', 'state', 'generation', 'since', 'lag', 'oldest', 'building', 'error'] as const
  return table({ head: columns.map((column) => t(`views.column.${column}`)), rows, right: [3, 5, 6], colour })
}
