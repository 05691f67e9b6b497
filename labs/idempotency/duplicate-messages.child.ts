/** A worker: handles what it is given, what is to be cut last, and is killed when all of that has come to its point. */
import pg from 'pg'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import { statementsOn } from '../harness/statements.ts'
import { CONNECTIONS, duplicateMessages, type DeliveryTold, type WorkerInput } from './duplicate-messages.ts'
import { stopping } from './stopping.ts'

await child<WorkerInput>(async ({ url, variant, deliveries }, { at, say }) => {
  const handle = await loadVariant(duplicateMessages.variants, variant)
  const pool = new pg.Pool({ connectionString: url, options: '-c search_path=bank', max: CONNECTIONS })
  const deliver = async ({ id, delivered, stopAt }: WorkerInput['deliveries'][number]) => {
    const told = (how: Omit<DeliveryTold, 'id'>) => say({ id, ...how } satisfies DeliveryTold)
    const step = stopping(stopAt, (point) => told({ at: point }))
    try {
      await handle(delivered as never, { ...statementsOn(pool, step), url, step })
      await step('the acknowledgement', async () => undefined)
      await told({})
    } catch (error) {
      await told({ error: (error as Error).message })
    }
  }
  await at('ready')
  await Promise.all(deliveries.filter(({ stopAt }) => stopAt === undefined).map(deliver))
  await Promise.all(deliveries.filter(({ stopAt }) => stopAt !== undefined).map(deliver))
})
