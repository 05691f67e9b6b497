/** The payments service, as the composition root sees it. */
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { commands, messages, tasks } from './decide.ts'
import { tables } from './tables.ts'

export { paymentRoutes } from './http.ts'
export { accountRoutes } from './http-accounts.ts'
export { paymentProblems } from './http-problems.ts'
export { cardLimits } from './card.ts'
export { httpCardProcessor } from './card-http.ts'
export { effects } from './tasks.ts'
export { audit } from './views.ts'

export const payments: ServiceDefinition = { name: 'payments', tables, commands, messages, tasks }

/** Where its migrations are. */
export const migrations: URL = new URL('migrations/', import.meta.url)
