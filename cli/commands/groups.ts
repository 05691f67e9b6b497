/** `cauce groups`: where each consumer group stands. One row for each log it reads, or for each lane with `--lanes`. */
import { groupBy } from '@cauce/kit/core/collections'
import type { AddCommand } from '../command.ts'
import { exits, type ExitCode } from '../exit.ts'
import type { GroupLane } from '../http/api.ts'
import { table } from '../output.ts'
import type { Shell } from '../shell.ts'
import { formatDuration } from '../time.ts'
import { examples } from '../usage.ts'

export const addGroups: AddCommand = (parent, { t, run }) => {
  parent
    .command('groups')
    .description(t('groups.about'))
    .option('--lanes', t('groups.lanes'))
    .addHelpText('after', examples(t, ['groups', 'groups --lanes', 'groups --json']))
    .action(({ lanes = false }) => run((shell) => showGroups(shell, lanes)))
}

async function showGroups(shell: Shell, perLane: boolean): Promise<ExitCode> {
  const { t, output } = shell
  const groups = await shell.connect().api.groups()
  output.result(groups, () => {
    const rows = perLane ? groups.items.map(laneRow) : [...byLog(groups.items).values()].map(logRow)
    const columns = ['head', 'cursor', 'lag', 'oldest', 'parked', 'halted'] as const
    const lane = perLane ? [t('groups.lane')] : []
    const head = [t('groups.group'), t('groups.source'), ...lane, ...columns.map((column) => t(`groups.${column}`))]
    const right = [...head.keys()].filter((column) => column >= 2 && column < head.length - 1)
    return table({ head, rows, right, colour: output.colour })
  })
  return exits.ok
}

const byLog = (lanes: readonly GroupLane[]) => groupBy(lanes, ({ group, source }) => `${group} ${source}`)

function laneRow({ group, source, lane, head, cursor, lag, oldestMs, parked, halted }: GroupLane): string[] {
  return [group, source, ...[lane, head, cursor, lag].map(String), age(oldestMs), String(parked), halted ?? '']
}

function logRow(lanes: readonly GroupLane[]): string[] {
  const sum = (of: (lane: GroupLane) => number) => String(lanes.reduce((total, lane) => total + of(lane), 0))
  const { group = '', source = '' } = lanes[0] ?? {}
  const oldest = Math.max(...lanes.map(({ oldestMs }) => oldestMs))
  const halted = lanes.filter((lane) => typeof lane.halted === 'string')
  return [
    group,
    source,
    sum(({ head }) => head),
    sum(({ cursor }) => cursor),
    sum(({ lag }) => lag),
    age(oldest),
    sum(({ parked }) => parked),
    halted.map(({ lane, halted: why }) => `${lane}: ${why}`).join(', '),
  ]
}

const age = (ms: number): string => (ms > 0 ? formatDuration(ms) : '')
