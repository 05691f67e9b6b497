/** `cauce order cancel` */
import type { AddCommand } from '../command.ts'
import { exits } from '../exit.ts'
import { operator } from '../http/tokens.ts'
import { showOrder } from '../order-view.ts'
import { examples } from '../usage.ts'

export const addCancelOrder: AddCommand = (parent, { t, run }) => {
  parent
    .command('cancel')
    .description(t('order.cancel.about'))
    .argument('<id>', t('order.id'))
    .addHelpText('after', examples(t, ['order cancel ord_019ab3…']))
    .action((id) =>
      run(async (shell) => {
        const order = await shell.connect().api.cancelOrder(operator, id)
        shell.output.result(order, () => showOrder(order, shell))
        return exits.ok
      }),
    )
}
