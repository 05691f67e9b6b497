import { expect, test } from 'vitest'
import { catalogue, chooseLang, translator, type TextKey } from './texts.ts'

const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted()

test.each(Object.entries(catalogue))('%s says something, with the same values, in both languages', (_key, [en, es]) => {
  expect(en.trim()).not.toBe('')
  expect(es.trim()).not.toBe('')
  expect(names(es)).toEqual(names(en))
})

test('no text is left in English by mistake', () => {
  // The same word in both languages.
  const same: TextKey[] = [
    'field.sku',
    'field.total',
    'audit.no',
    'up.docs',
    'demo.percentiles',
    'doctor.name.node',
    'lab.column.lab',
    'lab.not',
  ]
  const untranslated = Object.entries(catalogue).filter(([, [en, es]]) => (en as string) === es)
  expect(untranslated.map(([key]) => key).filter((key) => !same.includes(key as TextKey))).toEqual([])
})

test('fills in values, also twice and when they look like a name', () => {
  expect(translator('en')('up.running', { url: '{url}' })).toBe('Cauce is running at {url}')
  expect(translator('es')('audit.ordersOf', { terminal: 1, total: 2 })).toBe('1 de 2')
})

test.each([
  [['audit'], {}, 'en'],
  [['audit'], { LANG: 'es_ES.UTF-8' }, 'es'],
  [['audit'], { LANG: 'ES' }, 'es'],
  [['audit'], { LANG: 'de_DE.UTF-8' }, 'en'],
  [['audit', '--lang', 'es'], { LANG: 'en_GB.UTF-8' }, 'es'],
  [['--lang=en', 'audit'], { LANG: 'es_ES.UTF-8' }, 'en'],
  [['audit', '--', '--lang', 'es'], {}, 'en'],
  [['audit', '--lang'], {}, 'en'],
])('%j with %j speaks %s', (args, env, lang) => {
  expect(chooseLang(args, env)).toBe(lang)
})
