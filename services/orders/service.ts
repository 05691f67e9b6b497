/** The orders service, as the composition root sees it. */
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { commands, messages, tasks } from './decide.ts'
import { tables } from './tables.ts'

export { orderRoutes } from './http.ts'
export { audit } from './views.ts'

export const orders: ServiceDefinition = { name: 'orders', tables, commands, messages, tasks }

/** Where its migrations are. */
export const migrations: URL = new URL('migrations/', import.meta.url)
