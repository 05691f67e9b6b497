/** `cauce order …` */
import type { AddCommand } from '../command.ts'
import { addCancelOrder } from './order-cancel.ts'
import { addListOrders } from './order-list.ts'
import { addPlaceOrder } from './order-place.ts'
import { addShowOrder } from './order-show.ts'

export const addOrder: AddCommand = (parent, wiring) => {
  const group = parent.command('order').description(wiring.t('order.about'))
  for (const add of [addPlaceOrder, addShowOrder, addListOrders, addCancelOrder]) add(group, wiring)
}
