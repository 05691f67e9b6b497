/**
 * What can be ordered, and for how much. On the platform inventory says so in its log, and orders keeps a copy to price by; here
 * there is no inventory, so the same copy is fed the same messages from a list.
 */
import { systemIds } from '@cauce/kit/core/id-source'
import type { CommandQueue } from '@cauce/kit/pipeline/commands'
import { ProductPriced } from '@cauce/inventory/contract'

const prices = [
  ProductPriced({ sku: 'LAMP', name: 'Reading lamp', amount: 1999, currency: 'EUR' }),
  ProductPriced({ sku: 'DESK', name: 'Desk', amount: 24_900, currency: 'EUR' }),
  ProductPriced({ sku: 'CHAIR', name: 'Chair', amount: 7450, currency: 'EUR' }),
]

/** At each start: a price that was changed in the list holds from then on, for new orders. */
export async function writePrices(queue: Pick<CommandQueue, 'submit'>): Promise<void> {
  const render = () => ({ status: 200, headers: {}, body: '' })
  for (const { type, data } of prices) {
    await queue.submit({ id: systemIds.draw(), type, data, requestId: 'start', render })
  }
}
