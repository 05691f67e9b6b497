/**
 * Everything the user reads, in English and Spanish. An entry is a pair, so a text without its translation does not compile;
 * `{name}` in the English one is a value that every use must give. The tests compare the names of both languages.
 *
 * What the server says (problem details, log lines) is shown as it comes: it is data, and a search finds it again.
 */
import { auditTexts } from './texts/audit.ts'
import { commandTexts } from './texts/commands.ts'
import { crashTexts } from './texts/crash.ts'
import { demoTexts } from './texts/demo.ts'
import { doctorTexts } from './texts/doctor.ts'
import { labTexts } from './texts/lab.ts'
import { operationTexts } from './texts/operations.ts'
import { paymentTexts } from './texts/payments.ts'
import { roadmapTexts } from './texts/roadmap.ts'
import { shellTexts } from './texts/shell.ts'
import { upTexts } from './texts/up.ts'
import { viewTexts } from './texts/views.ts'

export const langs = ['en', 'es'] as const
export type Lang = (typeof langs)[number]

export const catalogue = {
  ...shellTexts,
  ...commandTexts,
  ...upTexts,
  ...demoTexts,
  ...crashTexts,
  ...auditTexts,
  ...doctorTexts,
  ...labTexts,
  ...roadmapTexts,
  ...operationTexts,
  ...viewTexts,
  ...paymentTexts,
} as const

export type TextKey = keyof typeof catalogue
type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type NamesOf<Key extends TextKey> = Names<(typeof catalogue)[Key][0]>
type Values<Key extends TextKey> = [NamesOf<Key>] extends [never]
  ? []
  : [Readonly<Record<NamesOf<Key>, string | number>>]

/** The text of a key: `t('demo.placed', { count: 5 })`. */
export type Translate = <Key extends TextKey>(key: Key, ...values: Values<Key>) => string

export function translator(lang: Lang): Translate {
  const index = langs.indexOf(lang)
  return (key, ...given) => {
    const [values = {}] = given as [Record<string, string | number>?]
    const text: string = catalogue[key][index] ?? catalogue[key][0]
    return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
  }
}

/** The language of `--lang`, else of LANG, else English. It is needed before anything is parsed: the help is written in it. */
export function chooseLang(args: readonly string[], env: NodeJS.ProcessEnv): Lang {
  const end = args.indexOf('--')
  const flags = end < 0 ? args : args.slice(0, end)
  const at = flags.findLastIndex((arg) => arg === '--lang' || arg.startsWith('--lang='))
  const flag = at < 0 ? undefined : flags[at] === '--lang' ? flags[at + 1] : flags[at]?.slice('--lang='.length)
  const wanted = flag ?? env.LANG ?? ''
  return langs.find((lang) => wanted.toLowerCase().startsWith(lang)) ?? 'en'
}
