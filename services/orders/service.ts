/** The orders service, as the composition root sees it. */
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { commands, messages, tasks } from './decide.ts'
import { tables } from './tables.ts'

export { assertPayable, OrderId, orderProblems, orderRoutes, visibleOrder } from './http.ts'
export { orderStreamRoute, watchOrders, type OrderWatcher } from './http-stream.ts'
export { smtpMailer } from './mailer-smtp.ts'
export { effects } from './tasks.ts'
export { audit, findOrder, show } from './views.ts'
export { orderList } from './views/order-list.ts'
export { orderTimeline, statusesOf, timelineOf, type TimelineMessage } from './views/order-timeline.ts'

export const orders: ServiceDefinition = { name: 'orders', tables, commands, messages, tasks }

/** Where its migrations are. */
export const migrations: URL = new URL('migrations/', import.meta.url)
