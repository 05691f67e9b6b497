/** Money as people write and read it. Minor units all the way: no amount passes through a float. */
import type { Money } from '@cauce/kit/core/money'
import { usageError } from './exit.ts'
import type { Lang, Translate } from './texts.ts'

const locales: Readonly<Record<Lang, string>> = { en: 'en-GB', es: 'es-ES' }

const formatOf = (currency: string, lang: Lang): Intl.NumberFormat =>
  new Intl.NumberFormat(locales[lang], { style: 'currency', currency })

/** Decimals of a currency: 2 for EUR, 0 for JPY. Undefined when it is no currency code. */
function decimalsOf(currency: string): number | undefined {
  if (!/^[A-Z]{3}$/.test(currency)) return undefined
  return formatOf(currency, 'en').resolvedOptions().maximumFractionDigits
}

/** `{ amount: 1999, currency: 'EUR' }` as `€19.99`, or `19,99 €`. */
export function formatMoney({ amount, currency }: Money, lang: Lang): string {
  const decimals = decimalsOf(currency)
  if (decimals === undefined) return `${amount} ${currency}`
  return formatOf(currency, lang).format(decimalText(amount, decimals) as Intl.StringNumericLiteral)
}

/** `19.99` or `19,99` of EUR as 1999. @throws CliError (usage) for anything that is not exactly an amount above zero. */
export function parseMoney(text: string, currency: string, t: Translate): Money {
  const decimals = decimalsOf(currency)
  if (decimals === undefined) throw usageError(t('value.currency', { text: currency }))
  const example = decimalText(1999 * 10 ** Math.max(0, decimals - 2), decimals)
  const [, whole = '', fraction = ''] = /^(\d{1,15})(?:[.,](\d+))?$/.exec(text) ?? []
  const amount = Number(whole + fraction.padEnd(decimals, '0'))
  if (whole === '' || fraction.length > decimals || !Number.isSafeInteger(amount) || amount < 1) {
    throw usageError(t('value.money', { text, currency, example }))
  }
  return { amount, currency }
}

function decimalText(amount: number, decimals: number): string {
  const digits = String(Math.abs(amount)).padStart(decimals + 1, '0')
  const point = digits.length - decimals
  const sign = amount < 0 ? '-' : ''
  return `${sign}${digits.slice(0, point)}${decimals > 0 ? `.${digits.slice(point)}` : ''}`
}
