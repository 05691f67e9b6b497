/** `cauce product …`: define products, count their stock, list them. */
import type { Product } from '@cauce/inventory/contract'
import { integer, key } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits } from '../exit.ts'
import { formatMoney, parseMoney } from '../money.ts'
import { pairs } from '../output.ts'
import { showPage } from '../page.ts'
import type { Shell } from '../shell.ts'
import { examples } from '../usage.ts'

export const addProduct: AddCommand = (parent, wiring) => {
  const group = parent.command('product').description(wiring.t('product.about'))
  for (const add of [addPut, addStock, addList]) add(group, wiring)
}

const addPut: AddCommand = (parent, { t, run }) => {
  parent
    .command('put')
    .description(t('product.put.about'))
    .argument('<sku>', t('product.sku'))
    .option('--name <name>', t('product.put.name'))
    .requiredOption('--price <amount>', t('product.put.price'))
    .option('--currency <code>', t('option.currency'), 'EUR')
    .addHelpText(
      'after',
      examples(t, ['product put LAMP --name "Desk lamp" --price 19.99', 'product put FAN --price 2500 --currency JPY']),
    )
    .action((sku, { name = sku, price, currency }) =>
      run(async (shell) => {
        const money = parseMoney(price, currency, t)
        const body = { name, price: { ...money, currency: money.currency as Product['price']['currency'] } }
        const product = await shell.connect().api.putProduct(sku, body)
        shell.output.result(product, () => showProduct(product, shell))
        return exits.ok
      }),
    )
}

const addStock: AddCommand = (parent, { t, run }) => {
  parent
    .command('stock')
    .description(t('product.stock.about'))
    .argument('<sku>', t('product.sku'))
    .requiredOption('--delta <n>', t('product.stock.delta'), integer(t, -1_000_000_000, 1_000_000_000))
    .option('--reason <text>', t('product.stock.reason'), 'counted')
    .option('--key <key>', t('option.key'), key(t))
    .addHelpText(
      'after',
      examples(t, [
        'product stock LAMP --delta 100 --reason delivery',
        'product stock LAMP --delta -1 --reason broken',
      ]),
    )
    .action((sku, { delta, reason, key: given }) =>
      run(async (shell) => {
        const product = await shell.connect().api.adjustStock(sku, { delta, reason }, given ?? shell.world.ids.draw())
        shell.output.result(product, () => showProduct(product, shell))
        return exits.ok
      }),
    )
}

const addList: AddCommand = (parent, { t, run }) => {
  parent
    .command('list')
    .description(t('product.list.about'))
    .option('--limit <n>', t('option.limit'), integer(t, 1, 100), 50)
    .option('--cursor <cursor>', t('option.cursor'))
    .addHelpText('after', examples(t, ['product list', 'product list --json']))
    .action((query) =>
      run(async (shell) => {
        const page = await shell.connect().api.products(query)
        const columns = ['sku', 'name', 'price', 'onHand', 'reserved', 'available'] as const
        const row = ({ sku, name, price, onHand, reserved, available }: Product) => [
          sku,
          name,
          formatMoney(price, shell.lang),
          ...[onHand, reserved, available].map(String),
        ]
        showPage(shell, page, { head: columns.map((column) => t(`field.${column}`)), row, right: [2, 3, 4, 5] })
        return exits.ok
      }),
    )
}

function showProduct({ sku, name, price, onHand, reserved, available }: Product, { t, lang, output }: Shell): string {
  return pairs(
    [
      [t('field.sku'), output.colour.bold(sku)],
      [t('field.name'), name],
      [t('field.price'), formatMoney(price, lang)],
      [t('field.onHand'), String(onHand)],
      [t('field.reserved'), String(reserved)],
      [t('field.available'), String(available)],
    ],
    output.colour,
  )
}
