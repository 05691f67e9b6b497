/** Orders' decisions: place an order, cancel it, keep the price copy. What follows an order is the saga's business. */
import { add, money, times, type Money } from '@cauce/kit/core/money'
import { prefixed, sibling } from '@cauce/kit/core/ids'
import { allows, notAllowed, type IfVersions } from '@cauce/kit/core/precondition'
import { accept, on, onCommand, onTask, reject, unchanged, type Decider, type Rows } from '@cauce/kit/pipeline/decision'
import { deadlineTimer, definitionOf, moved, sagaMessages, sagaTimer } from '@cauce/kit/saga/runner'
import { begin, COMPENSATING, CANCELLED, onCancel } from '@cauce/kit/saga/machine'
import { ProductPriced } from '@cauce/inventory/contract'
import { OrderCreated, type PlaceOrder } from './contract.ts'
import { SEND_CONFIRMATION } from './confirmation.ts'
import { binding, fulfilment, stateOf, withState } from './saga.ts'
import { catalogue, order, type OrderRow, type PricedLine } from './tables.ts'

export interface CreateOrder extends PlaceOrder {
  readonly customer: string
}

export const createOrder = onCommand<CreateOrder>('CreateOrder', {
  // Prices are only read: a copy may be stale anyway, and a popular product must not serialise the orders for it.
  lock: ({ lines }) => lines.map((line) => catalogue.read(line.sku)),
  decide(command, rows, context) {
    const priced = price(command.lines, rows)
    if (priced.kind !== 'priced') return priced
    const { lines, total } = priced
    const id = prefixed('ord', context.inputId)
    const placed: OrderRow = {
      id,
      customer: command.customer,
      status: 'placed',
      sagaVersion: fulfilment.version,
      waiting: [],
      undo: [],
      failureCode: null,
      failureMessage: null,
      deadlineAt: null,
      lines,
      totalAmount: total.amount,
      currency: total.currency,
      shipTo: command.shipTo,
      paymentId: sibling('pay', id),
      paymentMethod: command.payment.method,
      paymentToken: command.payment.token ?? null,
      paymentStatus: 'pending',
      authorizedUntil: null,
      shipmentId: null,
      shipmentStatus: null,
      tracking: null,
      requestId: context.requestId,
      version: 0,
      placedAt: context.now,
      updatedAt: context.now,
    }
    const started = begin(fulfilment, placed, context.now)
    const row = withState(placed, started.state, context)
    const created = OrderCreated({
      orderId: id,
      customer: row.customer,
      amount: total.amount,
      currency: total.currency,
    })
    return accept({
      changes: [order.insert(row)],
      messages: [created, ...started.messages],
      tasks: deadlineTimer(binding, row),
      reply: row,
    })
  },
})

type Priced = { readonly kind: 'priced'; readonly lines: PricedLine[]; readonly total: Money }

function price(lines: PlaceOrder['lines'], rows: Rows): Priced | ReturnType<typeof reject> {
  const priced: PricedLine[] = []
  for (const { sku, quantity } of lines) {
    const product = rows.get(catalogue, sku)
    if (!product) return reject('unknown-sku', `There is no product ${sku}`, { keep: false })
    priced.push({ sku, quantity, unitPrice: money(product.priceAmount, product.priceCurrency) })
  }
  const currencies = new Set(priced.map((line) => line.unitPrice.currency))
  const [currency] = currencies
  if (currency === undefined || currencies.size > 1) {
    return reject(
      'mixed-currencies',
      `One order is paid in one currency; these products cost ${[...currencies].join(' and ')}`,
    )
  }
  let total = money(0, currency)
  for (const { unitPrice, quantity } of priced) {
    if (!Number.isSafeInteger(total.amount + unitPrice.amount * quantity)) {
      return reject('total-too-large', 'The total is larger than an amount may be')
    }
    total = add(total, times(unitPrice, quantity))
  }
  return { kind: 'priced', lines: priced, total }
}

export interface CancelOrder {
  readonly orderId: string
  readonly by: { readonly subject: string; readonly isOperator: boolean }
  readonly ifVersions?: IfVersions
}

/** What the caller of a cancellation is told. */
export interface Cancelled {
  readonly row: OrderRow
  /** False when there was nothing left to cancel. */
  readonly changed: boolean
}

export const cancelOrder = onCommand<CancelOrder>('CancelOrder', {
  lock: ({ orderId }) => [order.key(orderId)],
  decide({ orderId, by, ifVersions }, rows, context) {
    const row = rows.get(order, orderId)
    if (!row || (!by.isOperator && by.subject !== row.customer))
      return reject('not-found', `There is no order ${orderId}`)
    if (!allows(ifVersions, row.version)) return reject('precondition-failed', notAllowed('order', row.version))
    const state = stateOf(row)
    if (state.status === COMPENSATING || state.status === CANCELLED) {
      return accept({ reply: { row, changed: false } satisfies Cancelled })
    }
    const failure = { code: 'cancelled-by-customer', message: by.isOperator ? 'Cancelled by an operator' : 'Cancelled' }
    const move = onCancel(definitionOf(binding, state), state, failure, row, context.now)
    if (!move)
      return reject(
        'not-cancellable',
        `The order is ${row.status}: it can no longer be cancelled. Ask for a refund once it has arrived`,
      )
    const decision = moved(binding, row, move, context)
    return { ...decision, reply: { row: decision.reply as OrderRow, changed: true } satisfies Cancelled }
  },
})

export const copyPrice = on(ProductPriced, {
  lock: ({ sku }) => [catalogue.key(sku)],
  decide({ sku, name, amount, currency }, rows, { now }) {
    const row = { sku, name, priceAmount: amount, priceCurrency: currency, updatedAt: now }
    return accept({ changes: [rows.get(catalogue, sku) ? catalogue.update(row) : catalogue.insert(row)] })
  },
})

export const commands: readonly Decider[] = [createOrder, cancelOrder]
export const messages: readonly Decider[] = [copyPrice, ...sagaMessages(binding)]
/** A mail that was sent, or that nobody will ever get, changes nothing here. */
export const confirmed = onTask(SEND_CONFIRMATION, { lock: () => [], decide: () => unchanged })

export const tasks: readonly Decider[] = [sagaTimer(binding), confirmed]
