/** How what a lab says and measures is written: in the reader's language, numbers with a few digits, units once. */
import type { LabDescription, Observed, Text } from '@cauce/labs/contract'
import type { Colours } from '../output.ts'
import type { Lang, Translate } from '../texts.ts'

export const say = (text: Text, lang: Lang): string => text[lang]

export function formatNumber(value: number, lang: Lang): string {
  const digits = Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0
  return value.toLocaleString(lang === 'es' ? 'es-ES' : 'en-GB', {
    maximumFractionDigits: digits,
    useGrouping: 'always',
  })
}

/** A measured value; a variant need not have measured everything. */
export function formatValue(value: number | string | boolean | undefined, lang: Lang, t: Translate): string {
  if (value === undefined) return '–'
  if (typeof value === 'boolean') return t(value ? 'lab.yes' : 'lab.not')
  return typeof value === 'number' ? formatNumber(value, lang) : value
}

/** The title of a column, with its unit. */
export function measureTitle({ measures }: LabDescription, name: string, lang: Lang): string {
  const measure = measures[name]
  if (!measure) return name
  return withUnit(say(measure.title, lang), measure.unit)
}

export const withUnit = (title: string, unit?: string): string => (unit === undefined ? title : `${title} (${unit})`)

/** `a, b and c`. */
export function namesOf(names: readonly string[], lang: Lang): string {
  return new Intl.ListFormat(lang === 'es' ? 'es-ES' : 'en-GB', { type: 'conjunction' }).format(names)
}

/** What a variant did, in green when it was to do so. */
export function paintObserved(t: Translate, colour: Colours, expected: Observed, observed: Observed): string {
  const text = t(observed === 'fails' ? 'lab.fails' : 'lab.holds')
  if (observed !== expected) return colour.bold(colour.red(text))
  return observed === 'fails' ? colour.yellow(text) : colour.green(text)
}

export const mark = (colour: Colours, isGood: boolean): string => (isGood ? colour.green('✓') : colour.red('✗'))
