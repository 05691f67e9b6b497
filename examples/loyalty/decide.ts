/**
 * Loyalty's decisions: a completed order is worth a point for every hundred minor units, once, whatever is said how often.
 *
 * What an order costs is said when it is created, and that it counts when it completes. Both have the order's key, so they come
 * in that order.
 */
import { accept, on, onCommand, reject, unchanged, type Context, type Decider } from '@cauce/kit/pipeline/decision'
import { OrderCancelled, OrderCompleted, OrderCreated } from '@cauce/orders/contract'
import { PointsEarned, type SpendPoints } from './contract.ts'
import { member, purchase, type Member } from './tables.ts'

const UNITS_PER_POINT = 100

export const noteOrder = on(OrderCreated, {
  // The member is not changed here. It is named because the order may complete in the same batch, whose rows are loaded once,
  // before the first decision: `earnPoints` cannot know yet whom to name, and would need a batch of its own.
  lock: ({ orderId, customer }) => [purchase.key(orderId), member.key(customer)],
  decide({ orderId, customer, amount }, rows, { now }) {
    if (rows.get(purchase, orderId)) return unchanged
    const points = Math.floor(amount / UNITS_PER_POINT)
    return accept({
      changes: [purchase.insert({ orderId, memberId: customer, points, status: 'placed', updatedAt: now })],
    })
  },
})

export const earnPoints = on(OrderCompleted, {
  // Whose points they are is in the purchase: asked again once that is loaded, and then for a later table.
  lock: ({ orderId }, rows) => {
    const placed = rows.get(purchase, orderId)
    return [purchase.key(orderId), ...(placed ? [member.key(placed.memberId)] : [])]
  },
  decide({ orderId }, rows, context) {
    const placed = rows.get(purchase, orderId)
    // Seen before; or the log begins behind its creation, and nobody knows what it was worth.
    if (placed?.status !== 'placed') return unchanged
    const earned = purchase.update({ ...placed, status: 'earned', updatedAt: context.now })
    if (placed.points === 0) return accept({ changes: [earned] })
    const before = rows.get(member, placed.memberId)
    const after = withPoints(before ?? newMember(placed.memberId), placed.points, context)
    return accept({
      changes: [earned, before ? member.update(after) : member.insert(after)],
      messages: [PointsEarned({ orderId, member: after.id, points: placed.points })],
    })
  },
})

export const forgetOrder = on(OrderCancelled, {
  lock: ({ orderId }) => [purchase.key(orderId)],
  decide({ orderId }, rows, { now }) {
    const placed = rows.get(purchase, orderId)
    if (placed?.status !== 'placed') return unchanged
    return accept({ changes: [purchase.update({ ...placed, status: 'void', updatedAt: now })] })
  },
})

export interface SpendCommand extends SpendPoints {
  readonly memberId: string
}

/** Replies with the member's row. */
export const spendPoints = onCommand<SpendCommand>('SpendPoints', {
  lock: ({ memberId }) => [member.key(memberId)],
  decide({ memberId, points }, rows, context) {
    const before = rows.get(member, memberId)
    if (!before) return reject('not-found', `${memberId} has never earned a point`)
    if (before.points < points) {
      return reject('too-few-points', `${points} were asked for, ${before.points} can be spent`)
    }
    const after = withPoints(before, -points, context)
    return accept({ changes: [member.update(after)], reply: after })
  },
})

const newMember = (id: string): Member => ({ id, points: 0, version: 0, updatedAt: 0 })

const withPoints = (row: Member, points: number, { now }: Context): Member => ({
  ...row,
  points: row.points + points,
  version: row.version + 1,
  updatedAt: now,
})

export const commands: readonly Decider[] = [spendPoints]
export const messages: readonly Decider[] = [noteOrder, earnPoints, forgetOrder]
