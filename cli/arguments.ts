/** Values of arguments and options, checked while they are parsed: what is wrong is told before anything is done. */
import { InvalidArgumentError } from '@commander-js/extra-typings'
import type { Translate } from './texts.ts'

/** A whole number in a range. */
export function integer(t: Translate, low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= low && value <= high) return value
    throw new InvalidArgumentError(t('value.integer', { low, high }))
  }
}

const unitsS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** `90s`, `30m`, `1h`, `7d` in seconds. */
export function duration(t: Translate): (text: string) => number {
  return (text) => {
    const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
    const value = Number(count) * (unitsS[unit] ?? Number.NaN)
    if (value >= 1) return value
    throw new InvalidArgumentError(t('value.duration'))
  }
}

/** The subject of a token, which is also the id of a wallet. */
export function subject(t: Translate): (text: string) => string {
  return matching(/^[A-Za-z0-9._@-]{1,64}$/, t('value.subject'))
}

/** An Idempotency-Key. */
export function key(t: Translate): (text: string) => string {
  return matching(/^[\x21-\x7e]{1,255}$/, t('value.key'))
}

/** Why something is done. */
export function reason(t: Translate): (text: string) => string {
  return matching(/^(?=.*\S).{1,500}$/s, t('value.reason'))
}

function matching(pattern: RegExp, why: string): (text: string) => string {
  return (text) => {
    if (pattern.test(text)) return text
    throw new InvalidArgumentError(why)
  }
}
