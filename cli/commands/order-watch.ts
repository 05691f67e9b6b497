/** `cauce order watch`: each status as the order takes it, until it has ended. With --json the order as it ended. */
import type { Order } from '@cauce/orders/contract'
import type { AddCommand } from '../command.ts'
import { exits, type ExitCode } from '../exit.ts'
import { events } from '../http/events.ts'
import { createTokens, operator } from '../http/tokens.ts'
import { paintStatus } from '../order-view.ts'
import type { Shell } from '../shell.ts'
import { formatTime } from '../time.ts'
import { examples } from '../usage.ts'

const PATIENCE_MS = 30_000

export const addWatchOrder: AddCommand = (parent, { t, run }) => {
  parent
    .command('watch')
    .description(t('order.watch.about'))
    .argument('<id>', t('order.id'))
    .addHelpText('after', examples(t, ['order watch ord_019ab3…', 'order watch ord_019ab3… --json']))
    .action((id) => run((shell) => watchOrder(shell, id)))
}

async function watchOrder({ world, settings, output, t, lang }: Shell, id: string): Promise<ExitCode> {
  const tokens = createTokens(settings.dataDirectory, world.clock)
  const path = `/v1/orders/${encodeURIComponent(id)}/stream`
  const stream = events({ ...world, url: settings.url, path, token: () => tokens(operator), patienceMs: PATIENCE_MS })
  let last: Order | undefined
  for await (const { data } of stream) {
    last = data as Order
    if (output.json) continue
    const { status, payment, shipment, failure, updatedAt } = last
    const told = [
      formatTime(updatedAt, lang),
      paintStatus(status, output.colour),
      `${t('field.payment')}: ${payment.status}`,
      ...(shipment ? [`${t('field.shipment')}: ${shipment.status}`] : []),
      ...(failure ? [t(`failure.${failure.code}`)] : []),
    ]
    output.result(undefined, () => told.join('  '))
  }
  if (output.json) output.result(last, () => '')
  return exits.ok
}
