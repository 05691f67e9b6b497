/** `cauce order show` */
import type { AddCommand } from '../command.ts'
import { exits } from '../exit.ts'
import { operator } from '../http/tokens.ts'
import { showOrder } from '../order-view.ts'
import { examples } from '../usage.ts'

export const addShowOrder: AddCommand = (parent, { t, run }) => {
  parent
    .command('show')
    .description(t('order.show.about'))
    .argument('<id>', t('order.id'))
    .addHelpText('after', examples(t, ['order show ord_019ab3…', 'order show ord_019ab3… --json']))
    .action((id) =>
      run(async (shell) => {
        const order = await shell.connect().api.order(operator, id)
        shell.output.result(order, () => showOrder(order, shell))
        return exits.ok
      }),
    )
}
