/** `cauce payment …`: pay, look, give back. */
import type { Payment } from '@cauce/payments/contract'
import { key, subject } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits } from '../exit.ts'
import { customer } from '../http/tokens.ts'
import { formatMoney, parseMoney } from '../money.ts'
import { pairs } from '../output.ts'
import type { Shell } from '../shell.ts'
import { examples } from '../usage.ts'

const id = 'pay_01a20db387437979870425e650146f68'
/** How long the server may wait for the card processor. */
const WAIT_S = 10

export const addPayment: AddCommand = (parent, wiring) => {
  const group = parent.command('payment').description(wiring.t('payment.about'))
  for (const add of [addPay, addShow, addRefund]) add(group, wiring)
}

const addPay: AddCommand = (parent, { t, run }) => {
  parent
    .command('pay')
    .description(t('payment.pay.about'))
    .requiredOption('--customer <id>', t('payment.customer'), subject(t))
    .requiredOption('--amount <amount>', t('account.deposit.amount'))
    .option('--currency <code>', t('option.currency'), 'EUR')
    .option('--card <token>', t('payment.card'))
    .option('--reference <text>', t('account.deposit.reference'), 'payment')
    .option('--key <key>', t('option.key'), key(t))
    .addHelpText(
      'after',
      examples(t, [
        'payment pay --customer alice --amount 12.50',
        'payment pay --customer alice --amount 12.50 --card tok_timeout --key once-only',
      ]),
    )
    .action(({ customer: who, amount, currency, card, reference, key: given }) =>
      run(async (shell) => {
        const money = parseMoney(amount, currency, t)
        const by = card === undefined ? { method: 'wallet' as const } : { method: 'card' as const, token: card }
        const body = { amount: money.amount, currency: money.currency as Payment['currency'], reference, ...by }
        const { api } = shell.connect()
        const payment = await api.pay(customer(who), body, given ?? shell.world.ids.draw(), WAIT_S)
        shell.output.result(payment, () => showPayment(payment, shell))
        return payment.status === 'declined' ? exits.failed : exits.ok
      }),
    )
}

const addShow: AddCommand = (parent, { t, run }) => {
  parent
    .command('show')
    .description(t('payment.show.about'))
    .argument('<id>')
    .addHelpText('after', examples(t, [`payment show ${id}`]))
    .action((of) =>
      run(async (shell) => {
        const payment = await shell.connect().api.payment(of)
        shell.output.result(payment, () => showPayment(payment, shell))
        return exits.ok
      }),
    )
}

const addRefund: AddCommand = (parent, { t, run }) => {
  parent
    .command('refund')
    .description(t('payment.refund.about'))
    .argument('<id>')
    .option('--amount <amount>', t('payment.refund.amount'))
    .requiredOption('--reason <text>', t('payment.refund.reason'))
    .option('--key <key>', t('option.key'), key(t))
    .addHelpText('after', examples(t, [`payment refund ${id} --amount 5.00 --reason "arrived broken"`]))
    .action((of, { amount, reason, key: given }) =>
      run(async (shell) => {
        const { api } = shell.connect()
        const { currency, amount: paid, refunded: before } = await api.payment(of)
        const sum = amount === undefined ? paid - before : parseMoney(amount, currency, t).amount
        const refund = await api.refund(of, { amount: sum, currency, reason }, given ?? shell.world.ids.draw())
        const { payment, status, id: refundId } = refund
        shell.output.result(refund, () =>
          t('payment.refunded', { amount: formatMoney(refund, shell.lang), payment, status, id: refundId }),
        )
        return exits.ok
      }),
    )
}

function showPayment(payment: Payment, { t, lang, output }: Shell): string {
  const { id: paymentId, customer: who, method, status, amount, refunded, currency, reference } = payment
  return pairs(
    [
      [t('field.payment'), output.colour.bold(paymentId)],
      [t('field.customer'), who],
      [t('field.method'), method],
      [t('field.status'), status],
      [t('field.amount'), formatMoney({ amount, currency }, lang)],
      [t('field.refunded'), formatMoney({ amount: refunded, currency }, lang)],
      [t('field.reference'), reference],
    ],
    output.colour,
  )
}
