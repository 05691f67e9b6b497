import { describe, expect, test } from 'vitest'
import { command, given } from '@cauce/kit/pipeline/given'
import { OrderCancelled, OrderCompleted, OrderCreated } from '@cauce/orders/contract'
import { PointsEarned } from './contract.ts'
import { commands, messages, type SpendCommand } from './decide.ts'
import { member, purchase, tables } from './tables.ts'

const loyalty = { tables, commands, messages }

const orderId = 'ord_1'
const created = OrderCreated({ orderId, customer: 'alice', amount: 3998, currency: 'EUR' })
const completed = OrderCompleted({ orderId })
const cancelled = OrderCancelled({ orderId, code: 'out-of-stock', message: 'No lamps' })
const earned = PointsEarned({ orderId, member: 'alice', points: 39 })
const spend = (points: number, memberId = 'alice') =>
  command<SpendCommand>('SpendPoints', { memberId, points, reason: 'a mug' })

describe('an order', () => {
  test('is worth its points when it completes, once', () => {
    const after = given(loyalty).when(created).then().when(completed).then(earned)
    expect(after.row(member, 'alice')).toMatchObject({ points: 39, version: 1 })
    after.when(completed).thenUnchanged()
    after.when(created).thenUnchanged()
    after.when(cancelled).thenUnchanged()
  })

  test('adds to what is there', () => {
    const alice = member.insert({ id: 'alice', points: 5, version: 7, updatedAt: 1 })
    const after = given(loyalty, alice).when(created).then().when(completed).then(earned)
    expect(after.row(member, 'alice')).toMatchObject({ points: 44, version: 8 })
  })

  test('that is cancelled is worth nothing', () => {
    const after = given(loyalty).when(created).then().when(cancelled).then()
    expect(after.row(purchase, orderId)).toMatchObject({ status: 'void' })
    after.when(completed).thenUnchanged()
  })

  test('too small for a point makes nobody a member', () => {
    const small = OrderCreated({ orderId, customer: 'alice', amount: 99, currency: 'EUR' })
    const after = given(loyalty).when(small).then().when(completed).then()
    expect(after.rows(member)).toEqual([])
  })

  test('placed before anybody listened changes nothing', () => {
    given(loyalty).when(completed).thenUnchanged()
    given(loyalty).when(cancelled).thenUnchanged()
  })
})

describe('points', () => {
  const rich = given(loyalty).when(created).then().when(completed).then(earned)

  test('can be spent, as many as there are', () => {
    const after = rich.when(spend(30)).then()
    expect(after.reply).toMatchObject({ id: 'alice', points: 9, version: 2 })
    after.when(spend(10)).thenRejected('too-few-points', /10 were asked for, 9 can be spent/)
    expect(after.when(spend(9)).then().row(member, 'alice')).toMatchObject({ points: 0 })
  })

  test('are only there for those who earned some', () => {
    rich.when(spend(1, 'bob')).thenRejected('not-found')
  })
})
