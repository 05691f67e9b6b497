/** `cauce order …` */
import type { AddCommand } from '../command.ts'
import { addCancelOrder } from './order-cancel.ts'
import { addListOrders } from './order-list.ts'
import { addPlaceOrder } from './order-place.ts'
import { addShowOrder } from './order-show.ts'
import { addOrderTimeline } from './order-timeline.ts'
import { addWatchOrder } from './order-watch.ts'

export const addOrder: AddCommand = (parent, wiring) => {
  const group = parent.command('order').description(wiring.t('order.about'))
  for (const add of [addPlaceOrder, addShowOrder, addWatchOrder, addOrderTimeline, addListOrders, addCancelOrder])
    add(group, wiring)
}
