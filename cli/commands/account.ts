/** `cauce account …`: open wallets, fill them, look into them. */
import type { Account } from '@cauce/payments/contract'
import { key, subject } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits } from '../exit.ts'
import { customer } from '../http/tokens.ts'
import { formatMoney, parseMoney } from '../money.ts'
import { pairs } from '../output.ts'
import type { Shell } from '../shell.ts'
import { examples } from '../usage.ts'

export const addAccount: AddCommand = (parent, wiring) => {
  const group = parent.command('account').description(wiring.t('account.about'))
  for (const add of [addOpen, addShow, addDeposit, addTransfer]) add(group, wiring)
}

const addOpen: AddCommand = (parent, { t, run }) => {
  parent
    .command('open')
    .description(t('account.open.about'))
    .argument('<customer>', t('account.customer'), subject(t))
    .option('--currency <code>', t('option.currency'), 'EUR')
    .option('--key <key>', t('option.key'), key(t))
    .addHelpText('after', examples(t, ['account open alice', 'account open bob --currency USD']))
    .action((owner, { currency, key: given }) =>
      run(async (shell) => {
        const account = await shell
          .connect()
          .api.openAccount(customer(owner), currency, given ?? shell.world.ids.draw())
        shell.output.result(account, () => showAccount(account, shell))
        return exits.ok
      }),
    )
}

const addShow: AddCommand = (parent, { t, run }) => {
  parent
    .command('show')
    .description(t('account.show.about'))
    .argument('<customer>', t('account.customer'), subject(t))
    .addHelpText('after', examples(t, ['account show alice', 'account show alice --json']))
    .action((owner) =>
      run(async (shell) => {
        const account = await shell.connect().api.account(owner)
        shell.output.result(account, () => showAccount(account, shell))
        return exits.ok
      }),
    )
}

const addDeposit: AddCommand = (parent, { t, run }) => {
  parent
    .command('deposit')
    .description(t('account.deposit.about'))
    .argument('<customer>', t('account.customer'), subject(t))
    .requiredOption('--amount <amount>', t('account.deposit.amount'))
    .option('--currency <code>', t('option.currency'), 'EUR')
    .option('--reference <text>', t('account.deposit.reference'), 'deposit')
    .option('--key <key>', t('option.key'), key(t))
    .addHelpText(
      'after',
      examples(t, ['account deposit alice --amount 50.00', 'account deposit bob --amount 20 --currency USD']),
    )
    .action((owner, { amount, currency, reference, key: given }) =>
      run(async (shell) => {
        const money = parseMoney(amount, currency, t)
        const body = { amount: money.amount, currency: money.currency as Account['currency'], reference }
        const deposit = await shell.connect().api.deposit(owner, body, given ?? shell.world.ids.draw())
        const { account, id } = deposit
        shell.output.result(deposit, () =>
          t('account.deposited', { amount: formatMoney(deposit, shell.lang), account, id }),
        )
        return exits.ok
      }),
    )
}

const addTransfer: AddCommand = (parent, { t, run }) => {
  parent
    .command('transfer')
    .description(t('account.transfer.about'))
    .argument('<from>', t('account.transfer.from'), subject(t))
    .argument('<to>', t('account.transfer.to'), subject(t))
    .requiredOption('--amount <amount>', t('account.deposit.amount'))
    .option('--currency <code>', t('option.currency'), 'EUR')
    .option('--key <key>', t('option.key'), key(t))
    .addHelpText('after', examples(t, ['account transfer alice bob --amount 5.00']))
    .action((from, to, { amount, currency, key: given }) =>
      run(async (shell) => {
        const money = parseMoney(amount, currency, t)
        const body = { from, to, amount: money.amount, currency: money.currency as Account['currency'] }
        const { api } = shell.connect()
        const transfer = await api.transfer(customer(from), body, given ?? shell.world.ids.draw())
        const { id } = transfer
        shell.output.result(transfer, () =>
          t('account.transferred', { amount: formatMoney(transfer, shell.lang), from, to, id }),
        )
        return exits.ok
      }),
    )
}

function showAccount({ id, balance, held, currency }: Account, { t, lang, output }: Shell): string {
  return pairs(
    [
      [t('field.account'), output.colour.bold(id)],
      [t('field.balance'), formatMoney({ amount: balance, currency }, lang)],
      [t('field.held'), formatMoney({ amount: held, currency }, lang)],
    ],
    output.colour,
  )
}
