/** An order's life as tests write it. */
import { given, command, type Given } from '@cauce/kit/pipeline/given'
import type { CancelOrder, CreateOrder } from './decide.ts'
import { orders } from './service.ts'
import { catalogue } from './tables.ts'

export const suffix = 'a'.repeat(32)
export const orderId = `ord_${suffix}`
export const paymentId = `pay_${suffix}`
export const shipmentId = `shp_${suffix}`
export const ofOrder = { orderId }
export const ofPayment = { orderId, paymentId }

export const shipTo = { name: 'Alice', line1: 'Calle Mayor 1', city: 'Madrid', postalCode: '28013', country: 'ES' }

export const priced = (sku: string, amount: number, currency = 'EUR') =>
  catalogue.insert({ sku, name: sku, priceAmount: amount, priceCurrency: currency, updatedAt: 0 })

export const place = (lines: CreateOrder['lines'] = [{ sku: 'LAMP', quantity: 2 }]) =>
  command<CreateOrder>('CreateOrder', { customer: 'alice', lines, payment: { method: 'wallet' }, shipTo })

export const cancel = (subject = 'alice', isOperator = false) =>
  command<CancelOrder>('CancelOrder', { orderId, by: { subject, isOperator } })

export const shop = (): Given =>
  given(orders, priced('LAMP', 1999), priced('DESK', 20_000), priced('SAKE', 3000, 'JPY'))

/** An order that was just placed. */
export const placed = () => shop().when(place(), { id: suffix, now: 1000 })
