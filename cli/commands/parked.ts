/** `cauce parked …`: messages that could not be applied, and what waits behind them. */
import { integer, reason } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits, usageError, type ExitCode } from '../exit.ts'
import { series, type Parked, type ParkedCause, type ParkedName } from '../http/ops.ts'
import type { PageQuery } from '../http/query.ts'
import { pairs, table } from '../output.ts'
import { showPage } from '../page.ts'
import type { Shell } from '../shell.ts'
import { formatTime } from '../time.ts'
import { examples } from '../usage.ts'

export const addParked: AddCommand = (parent, wiring) => {
  const group = parent.command('parked').description(wiring.t('parked.about'))
  for (const add of [addList, addShow, addRedrive, addDiscard]) add(group, wiring)
}

interface ListOptions extends PageQuery {
  readonly group?: string | undefined
  readonly cause?: string | undefined
  readonly byCause?: true | undefined
}

const addList: AddCommand = (parent, { t, run }) => {
  parent
    .command('list')
    .description(t('parked.list.about'))
    .option('--group <name>', t('option.group'))
    .option('--cause <text>', t('option.cause'))
    .option('--by-cause', t('option.byCause'))
    .option('--limit <n>', t('option.limit'), integer(t, 1, 100), 50)
    .option('--cursor <cursor>', t('option.cursor'))
    .addHelpText('after', examples(t, ['parked list', 'parked list --by-cause', 'parked list --group orders --json']))
    .action((options) => run((shell) => listParked(shell, options)))
}

async function listParked(shell: Shell, { byCause, ...query }: ListOptions): Promise<ExitCode> {
  if (byCause) return listCauses(shell, query)
  const { t, lang } = shell
  const page = await shell.connect().api.parked(query)
  const row = ({ group, source, key, messages, type, since, error }: Parked) => [
    group,
    source,
    key,
    String(messages),
    type,
    formatTime(since, lang),
    error,
  ]
  const columns = ['group', 'source', 'key', 'messages', 'type', 'since', 'error'] as const
  showPage(shell, page, { head: columns.map((column) => t(`field.${column}`)), row, right: [3] })
  return exits.ok
}

async function listCauses(shell: Shell, { group: only, cause: of }: ListOptions): Promise<ExitCode> {
  const { t, lang } = shell
  const { items: all } = await shell.connect().api.parkedCauses()
  const items = all.filter(({ group, cause }) => (only ?? group) === group && (of ?? cause) === cause)
  const row = ({ group, keys, messages, oldest, cause, example }: ParkedCause) => [
    group,
    String(keys),
    String(messages),
    formatTime(oldest, lang),
    cause,
    `${example.source} ${example.key}`,
  ]
  const columns = ['group', 'keys', 'messages', 'since', 'cause', 'example'] as const
  const head = columns.map((column) => t(`field.${column}`))
  showPage(shell, { items, nextCursor: null }, { head, row, right: [1, 2] })
  return exits.ok
}

const addShow: AddCommand = (parent, { t, run }) => {
  parent
    .command('show')
    .description(t('parked.show.about'))
    .argument('<group>', t('parked.group'))
    .argument('<source>', t('parked.source'))
    .argument('<key>', t('parked.key'))
    .option('--limit <n>', t('option.limit'), integer(t, 1, 100), 50)
    .option('--cursor <cursor>', t('option.cursor'))
    .addHelpText('after', examples(t, ['parked show orders payments ord_019ab3…']))
    .action((group, source, key, query) => run((shell) => showParked(shell, { group, source, key }, query)))
}

async function showParked(shell: Shell, name: ParkedName, query: PageQuery): Promise<ExitCode> {
  const { t, lang, output } = shell
  const { colour } = output
  const parked = await shell.connect().api.parkedKey(name, query)
  output.result(parked, () => {
    const { group, source, key, messages, since, error, cause, items } = parked
    const whole = pairs(
      [
        [t('field.group'), group],
        [t('field.source'), source],
        [t('field.key'), colour.bold(key)],
        [t('field.messages'), String(messages)],
        [t('field.since'), formatTime(since, lang)],
        [t('field.error'), colour.red(error)],
        [t('field.cause'), cause],
      ],
      colour,
    )
    const head = (['message', 'type', 'position', 'placed', 'data'] as const).map((column) => t(`field.${column}`))
    const rows = items.map(({ id, type, position, at, data }) => [
      id,
      type,
      String(position),
      formatTime(at, lang),
      JSON.stringify(data),
    ])
    return `${whole}\n\n${table({ head, rows, right: [2], colour })}`
  })
  if (parked.nextCursor !== null && !output.json) output.note(t('list.next', { cursor: parked.nextCursor }))
  return exits.ok
}

interface Which {
  readonly cause?: string | undefined
  readonly all?: true | undefined
}

const addRedrive: AddCommand = (parent, { t, run }) => {
  parent
    .command('redrive')
    .description(t('parked.redrive.about'))
    .argument('<group>', t('parked.group'))
    .argument('[source]', t('parked.source'))
    .argument('[key]', t('parked.key'))
    .option('--cause <text>', t('option.cause'))
    .option('--all', t('option.all'))
    .addHelpText(
      'after',
      examples(t, [
        'parked redrive orders payments ord_019ab3…',
        'parked redrive orders --cause "Error: Version # of saga fulfilment is not known here."',
        'parked redrive orders --all',
      ]),
    )
    .action((group, source, key, which) => run((shell) => redrive(shell, group, source, key, which)))
}

function redrive(
  shell: Shell,
  group: string,
  source: string | undefined,
  key: string | undefined,
  { cause, all }: Which,
): Promise<ExitCode> {
  const many = cause !== undefined || all === true
  if (many && source === undefined) return redriveGroup(shell, group, cause)
  if (many || source === undefined || key === undefined) throw usageError(shell.t('usage.whichKey'))
  return redriveOne(shell, { group, source, key })
}

async function redriveOne(shell: Shell, name: ParkedName): Promise<ExitCode> {
  const answer = await shell.connect().api.redriveParked(name)
  const { applied, error } = answer
  shell.output.result(answer, () =>
    error === null ? shell.t('parked.applied', { applied }) : shell.t('parked.failedAgain', { applied, error }),
  )
  return error === null ? exits.ok : exits.failed
}

async function redriveGroup(shell: Shell, group: string, cause: string | undefined): Promise<ExitCode> {
  const { api } = shell.connect()
  const counts = await series((cursor) => api.redriveParkedGroup({ group, cause, cursor }))
  shell.output.result(counts, () => shell.t('parked.appliedOf', counts))
  return counts.failed === 0 ? exits.ok : exits.failed
}

const addDiscard: AddCommand = (parent, { t, run }) => {
  parent
    .command('discard')
    .description(t('parked.discard.about'))
    .argument('<group>', t('parked.group'))
    .argument('<source>', t('parked.source'))
    .argument('<key>', t('parked.key'))
    .requiredOption('--reason <text>', t('option.reason'), reason(t))
    .option('--id <id...>', t('parked.id'))
    .addHelpText('after', examples(t, ['parked discard orders payments ord_019ab3… --reason "sent twice"']))
    .action((group, source, key, { reason: why, id: ids }) =>
      run(async (shell) => {
        const answer = await shell.connect().api.discardParked({ group, source, key }, { reason: why, ids })
        shell.output.result(answer, () => t('discarded', answer))
        return exits.ok
      }),
    )
}
