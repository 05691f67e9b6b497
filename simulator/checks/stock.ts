/** I3: stock is never negative or oversold, and is what its reservations and adjustments say. */
import { number, of, text, type Check, type CheckOptions } from './check.ts'

interface Line {
  readonly sku: string
  readonly quantity: number
}

export function stockCheck({ database, violate }: CheckOptions): Check {
  const reserved = new Map<string, number>()
  const onHand = new Map<string, number>()
  const add = (sums: Map<string, number>, sku: string, amount: number) =>
    void sums.set(sku, (sums.get(sku) ?? 0) + amount)
  const linesOf = (row: Readonly<Record<string, unknown>> | undefined) => (row?.['lines'] ?? []) as readonly Line[]

  return {
    committed(changes) {
      const touched = new Set<string>()
      for (const { key, before, after } of of(changes, 'inventory.reservations')) {
        const [was, is] = [text(before, 'status'), text(after, 'status')]
        if (was === 'issued' && is !== 'issued') violate('I3', `Reservation ${key} was issued and is ${is}`)
        for (const { sku, quantity } of linesOf(after)) {
          if (was === 'held') add(reserved, sku, -quantity)
          if (is === 'held') add(reserved, sku, quantity)
          if (is === 'issued' && was !== 'issued') add(onHand, sku, -quantity)
          touched.add(sku)
        }
      }
      for (const { key, before, after } of of(changes, 'inventory.adjustments')) {
        if (before) violate('I3', `Adjustment ${key} was changed`)
        add(onHand, text(after, 'sku'), number(after, 'delta'))
        touched.add(text(after, 'sku'))
      }
      for (const { key } of of(changes, 'inventory.stock')) touched.add(key)
      for (const sku of touched) {
        const row = database.committed('inventory.stock').get(sku) as Record<string, number> | undefined
        const [held, there] = [row?.['reserved'] ?? 0, row?.['onHand'] ?? 0]
        if (held < 0 || held > there) violate('I3', `${sku} has ${held} reserved of ${there}`)
        if (held !== (reserved.get(sku) ?? 0))
          violate('I3', `${sku} shows ${held} reserved, reservations say ${reserved.get(sku)}`)
        if (there !== (onHand.get(sku) ?? 0))
          violate('I3', `${sku} shows ${there} on hand, the books say ${onHand.get(sku)}`)
      }
    },
  }
}
