/** The loyalty service, as the composition root sees it. */
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { commands, messages } from './decide.ts'
import { tables } from './tables.ts'

export { loyaltyRoutes } from './http.ts'

export const loyalty: ServiceDefinition = { name: 'loyalty', tables, commands, messages, tasks: [] }

/** Where its migrations are. */
export const migrations: URL = new URL('migrations/', import.meta.url)
