/** `cauce order list` */
import { Option } from '@commander-js/extra-typings'
import type { Order } from '@cauce/orders/contract'
import { integer, subject } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits, type ExitCode } from '../exit.ts'
import type { PageQuery } from '../http/query.ts'
import { customer, operator } from '../http/tokens.ts'
import { formatMoney } from '../money.ts'
import { orderStatuses, paintStatus } from '../order-view.ts'
import { showPage } from '../page.ts'
import type { Shell } from '../shell.ts'
import { formatTime } from '../time.ts'
import { examples } from '../usage.ts'

export const addListOrders: AddCommand = (parent, { t, run }) => {
  parent
    .command('list')
    .description(t('order.list.about'))
    .option('--customer <id>', t('order.list.customer'), subject(t))
    .addOption(new Option('--status <status>', t('order.list.status')).choices(orderStatuses))
    .option('--limit <n>', t('option.limit'), integer(t, 1, 100), 20)
    .option('--cursor <cursor>', t('option.cursor'))
    .addHelpText(
      'after',
      examples(t, ['order list', 'order list --customer alice --status completed', 'order list --json --limit 100']),
    )
    .action(({ customer: whose, ...query }) => run((shell) => listOrders(shell, whose, query)))
}

async function listOrders(shell: Shell, whose: string | undefined, query: PageQuery): Promise<ExitCode> {
  const { t, lang, output } = shell
  const { colour } = output
  const page = await shell.connect().api.orders(whose === undefined ? operator : customer(whose), query)
  const row = ({ id, customer: of, status, total, placedAt, failure }: Order) => [
    id,
    of,
    paintStatus(status, colour),
    formatMoney(total, lang),
    formatTime(placedAt, lang),
    failure === null ? '' : t(`failure.${failure.code}`),
  ]
  const head = [
    t('field.order'),
    t('field.customer'),
    t('field.status'),
    t('field.total'),
    t('field.placed'),
    t('field.failure'),
  ]
  showPage(shell, page, { head, row, right: [3] })
  return exits.ok
}
