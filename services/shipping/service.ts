/** The shipping service, as the composition root sees it. */
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { messages, tasks } from './decide.ts'
import { tables } from './tables.ts'

export { carrierLimits } from './carrier.ts'
export { httpCarrier } from './carrier-http.ts'
export { effects } from './tasks.ts'
export { audit } from './views.ts'

export const shipping: ServiceDefinition = { name: 'shipping', tables, commands: [], messages, tasks }

/** Where its migrations are. */
export const migrations: URL = new URL('migrations/', import.meta.url)
