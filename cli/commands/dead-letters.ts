/** `cauce dead-letters …`: tasks that were given up. */
import { integer, reason } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits, usageError, type ExitCode } from '../exit.ts'
import type { Api } from '../http/api.ts'
import { series, type DeadCause, type DeadFilter, type DeadLetter } from '../http/ops.ts'
import type { PageQuery } from '../http/query.ts'
import { pairs } from '../output.ts'
import { showPage } from '../page.ts'
import type { Shell } from '../shell.ts'
import { formatTime } from '../time.ts'
import { examples } from '../usage.ts'

export const addDeadLetters: AddCommand = (parent, wiring) => {
  const group = parent.command('dead-letters').description(wiring.t('dead.about'))
  for (const add of [addList, addShow, addRedrive, addDiscard]) add(group, wiring)
}

interface ListOptions extends PageQuery, Partial<DeadFilter> {
  readonly byCause?: true | undefined
}

const addList: AddCommand = (parent, { t, run }) => {
  parent
    .command('list')
    .description(t('dead.list.about'))
    .option('--service <name>', t('option.service'))
    .option('--type <type>', t('dead.type'))
    .option('--cause <text>', t('option.cause'))
    .option('--by-cause', t('option.byCause'))
    .option('--limit <n>', t('option.limit'), integer(t, 1, 100), 50)
    .option('--cursor <cursor>', t('option.cursor'))
    .addHelpText(
      'after',
      examples(t, ['dead-letters list', 'dead-letters list --by-cause', 'dead-letters list --service shipping --json']),
    )
    .action((options) => run((shell) => listDead(shell, options)))
}

async function listDead(shell: Shell, { byCause, ...query }: ListOptions): Promise<ExitCode> {
  if (byCause) return listCauses(shell, query)
  const { t, lang } = shell
  const page = await shell.connect().api.deadLetters(query)
  const row = ({ service, id, type, key, attempts, since, error }: DeadLetter) => [
    service,
    id,
    type,
    key,
    String(attempts),
    formatTime(since, lang),
    error,
  ]
  const columns = ['service', 'task', 'type', 'key', 'attempts', 'since', 'error'] as const
  showPage(shell, page, { head: columns.map((column) => t(`field.${column}`)), row, right: [4] })
  return exits.ok
}

async function listCauses(shell: Shell, only: ListOptions): Promise<ExitCode> {
  const { t, lang } = shell
  const { items: all } = await shell.connect().api.deadCauses()
  const items = all
    .filter(({ service, type }) => (only.service ?? service) === service && (only.type ?? type) === type)
    .filter(({ cause }) => (only.cause ?? cause) === cause)
  const row = ({ service, type, tasks, oldest, cause, example }: DeadCause) => [
    service,
    type,
    String(tasks),
    formatTime(oldest, lang),
    cause,
    example,
  ]
  const columns = ['service', 'type', 'tasks', 'since', 'cause', 'example'] as const
  const head = columns.map((column) => t(`field.${column}`))
  showPage(shell, { items, nextCursor: null }, { head, row, right: [2] })
  return exits.ok
}

const addShow: AddCommand = (parent, { t, run }) => {
  parent
    .command('show')
    .description(t('dead.show.about'))
    .argument('<service>', t('dead.service'))
    .argument('<id>', t('dead.id'))
    .addHelpText('after', examples(t, ['dead-letters show shipping 5e1f3a0b…']))
    .action((service, id) =>
      run(async (shell) => {
        const letter = await shell.connect().api.deadLetter(service, id)
        shell.output.result(letter, () => showLetter(letter, shell))
        return exits.ok
      }),
    )
}

function showLetter(letter: DeadLetter, { t, lang, output: { colour } }: Shell): string {
  return pairs(
    [
      [t('field.service'), letter.service],
      [t('field.task'), colour.bold(letter.id)],
      [t('field.type'), letter.type],
      [t('field.key'), letter.key],
      [t('field.attempts'), String(letter.attempts)],
      [t('field.since'), formatTime(letter.since, lang)],
      [t('field.error'), colour.red(letter.error)],
      [t('field.cause'), letter.cause],
      [t('field.data'), JSON.stringify(letter.data)],
      [t('field.outcome'), JSON.stringify(letter.outcome)],
      [t('field.request'), letter.requestId],
    ],
    colour,
  )
}

interface Which {
  readonly type?: string | undefined
  readonly cause?: string | undefined
  readonly all?: true | undefined
}

/** The one that is named, or those of a filter; nothing is done to all unless it is said. */
function choose(
  shell: Shell,
  id: string | undefined,
  { type, cause, all }: Which,
): { kind: 'one'; id: string } | { kind: 'many'; type: string | undefined; cause: string | undefined } {
  const many = type !== undefined || cause !== undefined || all === true
  if (many === (id !== undefined)) throw usageError(shell.t('usage.whichTask'))
  return id === undefined ? { kind: 'many', type, cause } : { kind: 'one', id }
}

const addRedrive: AddCommand = (parent, { t, run }) => {
  parent
    .command('redrive')
    .description(t('dead.redrive.about'))
    .argument('<service>', t('dead.service'))
    .argument('[id]', t('dead.id'))
    .option('--type <type>', t('dead.type'))
    .option('--cause <text>', t('option.cause'))
    .option('--all', t('option.all'))
    .addHelpText(
      'after',
      examples(t, [
        'dead-letters redrive shipping 5e1f3a0b…',
        'dead-letters redrive shipping --cause "The carrier answered 401"',
        'dead-letters redrive shipping --all',
      ]),
    )
    .action((service, id, which) =>
      run(async (shell) => {
        const chosen = choose(shell, id, which)
        const answer = await redrive(shell.connect().api, service, chosen)
        shell.output.result(answer, () => t('dead.redriven', answer))
        return exits.ok
      }),
    )
}

function redrive(api: Api, service: string, chosen: ReturnType<typeof choose>): Promise<{ redriven: number }> {
  if (chosen.kind === 'one') return api.redriveDead(service, chosen.id)
  const { type, cause } = chosen
  return series((cursor) => api.redriveDeadGroup({ service, type, cause, cursor }))
}

const addDiscard: AddCommand = (parent, { t, run }) => {
  parent
    .command('discard')
    .description(t('dead.discard.about'))
    .argument('<service>', t('dead.service'))
    .argument('[id]', t('dead.id'))
    .requiredOption('--reason <text>', t('option.reason'), reason(t))
    .option('--type <type>', t('dead.type'))
    .option('--cause <text>', t('option.cause'))
    .option('--all', t('option.all'))
    .addHelpText(
      'after',
      examples(t, [
        'dead-letters discard shipping 5e1f3a0b… --reason "delivered by hand"',
        'dead-letters discard shipping --type book-shipment --reason "the carrier closed"',
      ]),
    )
    .action((service, id, { reason: why, ...which }) =>
      run(async (shell) => {
        const chosen = choose(shell, id, which)
        const answer = await discard(shell.connect().api, service, chosen, why)
        shell.output.result(answer, () => t('discarded', answer))
        return exits.ok
      }),
    )
}

function discard(
  api: Api,
  service: string,
  chosen: ReturnType<typeof choose>,
  why: string,
): Promise<{ discarded: number }> {
  if (chosen.kind === 'one') return api.discardDead(service, chosen.id, why)
  const { type, cause } = chosen
  return series((cursor) => api.discardDeadGroup({ service, type, cause, reason: why, cursor }))
}
