/** `cauce order place`: one order by hand. */
import { seconds } from '@cauce/kit/core/clock'
import type { Order, PlaceOrder } from '@cauce/orders/contract'
import { integer, key, subject } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits, type ExitCode } from '../exit.ts'
import type { Api } from '../http/api.ts'
import { customer, type Who } from '../http/tokens.ts'
import { hasEnded, showOrder } from '../order-view.ts'
import type { Shell } from '../shell.ts'
import { examples } from '../usage.ts'

interface Options {
  readonly customer: string
  readonly sku: string
  readonly quantity: number
  readonly postalCode: string
  readonly country: string
  readonly card?: string | undefined
  readonly key?: string | undefined
  readonly wait?: true | undefined
}

const LONGEST_WAIT_MS = seconds(60)

export const addPlaceOrder: AddCommand = (parent, { t, run }) => {
  parent
    .command('place')
    .description(t('order.place.about'))
    .requiredOption('--customer <id>', t('order.place.customer'), subject(t))
    .requiredOption('--sku <sku>', t('order.place.sku'))
    .option('--quantity <n>', t('order.place.quantity'), integer(t, 1, 1_000_000), 1)
    .option('--postal-code <code>', t('order.place.postalCode'), '28013')
    .option('--country <code>', t('order.place.country'), 'ES')
    .option('--card <token>', t('order.place.card'))
    .option('--key <key>', t('option.key'), key(t))
    .option('--wait', t('order.place.wait'))
    .addHelpText(
      'after',
      examples(t, [
        'order place --customer alice --sku LAMP --quantity 2 --wait',
        'order place --customer alice --sku LAMP --card tok_timeout --wait',
        'order place --customer alice --sku LAMP --postal-code 00000 --wait',
        'order place --customer alice --sku LAMP --key once-only',
      ]),
    )
    .action((options) => run((shell) => placeOrder(shell, options)))
}

async function placeOrder(shell: Shell, options: Options): Promise<ExitCode> {
  const { t, output, world } = shell
  const { sku, quantity, postalCode, country, card, key: given = world.ids.draw() } = options
  const who = customer(options.customer)
  const shipTo = { name: options.customer, line1: 'Calle Mayor 1', city: 'Madrid', postalCode, country }
  const { api } = shell.connect()
  const payment: PlaceOrder['payment'] = card === undefined ? { method: 'wallet' } : { method: 'card', token: card }
  const placed = await api.placeOrder(who, { lines: [{ sku, quantity }], payment, shipTo }, given)
  const order = options.wait ? await waitForEnd(shell, api, who, placed) : placed
  output.result(order, () => showOrder(order, shell))
  if (options.wait && !hasEnded(order)) {
    output.note(t('order.notEnded', { id: order.id, status: order.status, seconds: LONGEST_WAIT_MS / 1000 }))
    return exits.failed
  }
  if (!options.wait) output.note(`${t('order.placed', { id: order.id })} npx cauce order show ${order.id}`)
  return exits.ok
}

/** The order when it has ended, or as it is after a minute. */
async function waitForEnd({ world: { clock, timers } }: Shell, api: Api, who: Who, placed: Order): Promise<Order> {
  const giveUpAt = clock.monotonic() + LONGEST_WAIT_MS
  let order = placed
  for (let pauseMs = 20; !hasEnded(order) && clock.monotonic() < giveUpAt; pauseMs = Math.min(500, pauseMs * 1.5)) {
    await timers.sleep(pauseMs)
    order = await api.order(who, order.id)
  }
  return order
}
