/**
 * The audit: are the books right, now, while everything runs? One snapshot over all services. `ok` is false on any stuck or
 * contradictory order, imbalance, negative, duplicate or gap; `unapplied`, `parked` and `dead` inform.
 */
import { Type, type Static } from 'typebox'
import type { Pool } from '@cauce/kit/database/pool'
import { inSnapshot, type Query } from '@cauce/kit/database/snapshot'
import * as inventory from '@cauce/inventory/service'
import * as orders from '@cauce/orders/service'
import * as payments from '@cauce/payments/service'
import * as shipping from '@cauce/shipping/service'
import { serviceNames } from './config.ts'
import { contradictoryOrders, countDeadTasks, countGaps, listGroups, ordersThatMove } from './views.ts'

const Count = Type.Integer({ minimum: 0 })

export const Audit = Type.Object(
  {
    ok: Type.Boolean(),
    orders: Type.Object({
      total: Count,
      terminal: Count,
      stuck: Type.Integer({ minimum: 0, description: 'Not terminal, and nothing will move them' }),
      contradictory: Type.Integer({ minimum: 0, description: 'Ended, but money or stock says otherwise' }),
    }),
    money: Type.Object({ balanced: Type.Boolean(), negativeAccounts: Count, duplicateCharges: Count }),
    stock: Type.Object({ balanced: Type.Boolean(), negative: Count }),
    log: Type.Object({ gaps: Count, unapplied: Count, parked: Count }),
    tasks: Type.Object({ dead: Count }),
  },
  { $id: 'Audit' },
)
export type Audit = Static<typeof Audit>

export const runAudit = (pool: Pool): Promise<Audit> => inSnapshot(pool, audit)

async function audit(query: Query): Promise<Audit> {
  const ordered = await orders.audit(query)
  const moving = await ordersThatMove(query, ordered.untimed)
  const { stranded } = await shipping.audit(query)
  // A shipment that no task books, or a payment that no task settles, waits for ever, whatever a deadline asks.
  const money = await payments.audit(query)
  const unmoved = ordered.untimed.filter((id) => !moving.has(id))
  const stuck = new Set([...unmoved, ...stranded, ...money.stranded]).size
  const contradictory = (await contradictoryOrders(query)).length
  const stock = await inventory.audit(query)
  const lanes = await listGroups(query)
  let gaps = 0
  let dead = 0
  for (const name of serviceNames) {
    gaps += await countGaps(query, name)
    dead += await countDeadTasks(query, name)
  }
  const sum = (of: (lane: (typeof lanes)[number]) => number) => lanes.reduce((total, lane) => total + of(lane), 0)
  const halted = lanes.filter((lane) => lane.halted !== null).length
  const { balanced, negativeAccounts, duplicateCharges } = money
  return {
    ok:
      stuck + contradictory + negativeAccounts + duplicateCharges + stock.negative + gaps + halted === 0 &&
      balanced &&
      stock.balanced,
    orders: { total: ordered.total, terminal: ordered.terminal, stuck, contradictory },
    money: { balanced, negativeAccounts, duplicateCharges },
    stock: { balanced: stock.balanced, negative: stock.negative },
    log: { gaps: gaps + halted, unapplied: sum((lane) => lane.lag), parked: sum((lane) => lane.parked) },
    tasks: { dead },
  }
}
