/** `cauce order timeline`: every hop of an order through the services. */
import type { AddCommand } from '../command.ts'
import { exits, type ExitCode } from '../exit.ts'
import type { TimelineItem } from '../http/views.ts'
import { table, type Colours } from '../output.ts'
import type { Shell } from '../shell.ts'
import { formatDuration } from '../time.ts'
import { examples } from '../usage.ts'

export const addOrderTimeline: AddCommand = (parent, { t, run }) => {
  parent
    .command('timeline')
    .description(t('order.timeline.about'))
    .argument('<id>', t('order.id'))
    .addHelpText('after', examples(t, ['order timeline ord_019ab3…', 'order timeline ord_019ab3… --json']))
    .action((id) => run((shell) => showTimeline(shell, id)))
}

async function showTimeline(shell: Shell, id: string): Promise<ExitCode> {
  const { t, output } = shell
  const { colour } = output
  const timeline = await shell.connect().api.timeline(id)
  output.result(timeline, () => {
    const [first] = timeline.items
    const begun = first ? Date.parse(first.at) : 0
    const rows = timeline.items.map((item) => [
      `+${formatDuration(Math.max(0, Date.parse(item.at) - begun))}`,
      item.service,
      t(`timeline.${item.kind}`),
      paintName(item, colour),
      noteOf(item, shell),
    ])
    const columns = ['after', 'service', 'kind', 'name', 'note'] as const
    return table({ head: columns.map((column) => t(`timeline.${column}`)), rows, right: [0], colour })
  })
  return exits.ok
}

function paintName({ kind, name }: TimelineItem, colour: Colours): string {
  return kind === 'state' ? colour.bold(name) : name
}

/** What is worth a look in a line; the rest is in --json. */
function noteOf({ kind, detail, attempt }: TimelineItem, { t }: Shell): string {
  const text = (name: string) => (typeof detail[name] === 'string' ? detail[name] : '')
  if (kind === 'request') return text('requestId')
  if (kind === 'row') return [text('status'), text('tracking')].filter(Boolean).join(' ')
  if (kind === 'message') return [text('code'), text('message'), text('reason')].filter(Boolean).join(': ')
  if (kind !== 'task') return ''
  const next = text('nextAttemptAt')
  const notes = [
    text('state'),
    t('timeline.attempts', { count: attempt ?? 0 }),
    ...(next === '' ? [] : [t('timeline.next', { at: next })]),
    text('lastError'),
  ]
  return notes.filter(Boolean).join(' · ')
}
