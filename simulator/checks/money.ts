/** I1: money is conserved. Postings are immutable, and every account's row is the sum of its postings. */
import { number, of, text, type Check, type CheckOptions, type Row } from './check.ts'

export function moneyCheck({ database, violate }: CheckOptions): Check {
  /** By ledger account, what its postings sum to. */
  const sums = new Map<string, number>()
  const add = (name: string, amount: number) => void sums.set(name, (sums.get(name) ?? 0) + amount)

  /** By payment, what was given back. */
  const refunded = new Map<string, number>()
  function back(paymentId: string, amount: number): void {
    const sum = (refunded.get(paymentId) ?? 0) + amount
    refunded.set(paymentId, sum)
    const paid = number(database.committed('payments.payments').get(paymentId) as Row | undefined, 'amount')
    if (sum > paid) violate('I2', `${sum} of ${paid} were given back for ${paymentId}`)
  }

  function compare(id: string): void {
    const row = database.committed('payments.accounts').get(id) as Record<string, number> | undefined
    for (const [place, column] of [
      ['wallet', 'balance'],
      ['held', 'held'],
    ] as const) {
      const posted = sums.get(`${place}:${id}`) ?? 0
      const shown = row?.[column] ?? 0
      if (posted !== shown) violate('I1', `${id} shows a ${column} of ${shown}, its postings say ${posted}`)
      if (posted < 0) violate('I1', `${place}:${id} is at ${posted}`)
    }
  }

  return {
    committed(changes) {
      const touched = new Set<string>()
      for (const { key, before, after } of of(changes, 'payments.postings')) {
        if (before || !after) violate('I1', `Posting ${key} was changed`)
        const [debit, credit, amount] = [text(after, 'debit'), text(after, 'credit'), number(after, 'amount')]
        if (amount <= 0) violate('I1', `Posting ${key} moves ${amount}`)
        add(debit, -amount)
        add(credit, amount)
        if (text(after, 'kind').endsWith('refund')) back(text(after, 'subject'), amount)
        for (const name of [debit, credit])
          if (/^(wallet|held):/.test(name)) touched.add(name.slice(name.indexOf(':') + 1))
      }
      for (const { key } of of(changes, 'payments.accounts')) touched.add(key)
      for (const id of touched) compare(id)
      for (const { key, before, after } of of(changes, 'payments.payments')) {
        if (
          before &&
          text(before, 'chargeKey') === text(after, 'chargeKey') &&
          number(after, 'sequence') < number(before, 'sequence')
        )
          violate('I2', `Older news of ${key} were taken over newer ones`)
        if (number(after, 'refunded') > number(after, 'amount')) violate('I2', `More was refunded than paid for ${key}`)
      }
    },
  }
}
