/** What a run has told so far, and the bar that shows how far it is. */
import type { LabDescription, LabEvent, LabResult, Started, Text, VariantResult } from '@cauce/labs/contract'
import { createBar, type Bar } from '../bar.ts'
import type { Shell } from '../shell.ts'
import type { DrawnBy } from './charts/charts.ts'
import { formatValue, mark, paintObserved, say } from './words.ts'

/** A run that has come to its end. */
export interface Run {
  readonly lab: LabDescription
  readonly started: Started
  readonly result: LabResult
  readonly notes: readonly { readonly variant: string; readonly text: Text }[]
  readonly charts: readonly DrawnBy[]
}

/** Collects what belongs to the table and what is shown below it. */
export class Collected {
  readonly notes: { variant: string; text: Text }[] = []
  readonly charts: DrawnBy[] = []
  started: Started | undefined

  take(event: LabEvent): void {
    if (event.type === 'started') this.started = event
    if (event.type === 'note') this.notes.push(event)
    if (event.type === 'chart') this.charts.push(event)
  }
}

const OF_A_LAB = 1_000

/** One bar over all the labs that run: how many have ended, and how far the one in hand is. */
export class LabsBar {
  readonly #bar: Bar
  readonly #shell: Shell
  readonly #total: number
  #ended = 0
  #lab = ''
  #variants = 1
  #variant = -1
  #name = ''

  constructor(shell: Shell, total: number) {
    this.#shell = shell
    this.#total = total
    this.#bar = createBar(shell.output, { format: '{where} · {duration_formatted}', clears: true })
  }

  start(): void {
    this.#bar.start(this.#total * OF_A_LAB, { where: this.#shell.t('lab.starting') })
  }

  stop(): void {
    this.#bar.stop()
  }

  say(text: string): void {
    this.#bar.say(text)
  }

  labEnded(): void {
    this.#ended += 1
    this.#variant = -1
    this.#show(0, '')
  }

  take(event: LabEvent): void {
    if (event.type === 'started') {
      this.#lab = event.id
      this.#variants = event.variants.length
    }
    if (event.type === 'variant') {
      this.#variant += 1
      this.#name = event.name
      this.#show(0, '')
    }
    if (event.type === 'progress') {
      const { done, total } = event
      this.#show(total > 0 ? Math.min(1, done / total) : 0, ` · ${done}/${total}`)
    }
  }

  #show(share: number, counted: string): void {
    const inLab = this.#variant < 0 ? 0 : (this.#variant + share) / this.#variants
    const lab = this.#total > 1 ? [`${Math.min(this.#ended + 1, this.#total)}/${this.#total} ${this.#lab}`] : []
    const variant = this.#variant < 0 ? [] : [`${this.#variant + 1}/${this.#variants} ${this.#name}${counted}`]
    this.#bar.update(Math.round((this.#ended + inLab) * OF_A_LAB), { where: [...lab, ...variant].join(' · ') })
  }
}

/** The line of a variant that has been measured: `✓ mutex  holds  sold 60 · left 0`. */
export function measuredLine(
  { t, lang, output: { noteColour } }: Shell,
  { measures }: LabDescription,
  { name, expected, observed, measured }: VariantResult,
  nameWidth: number,
): string {
  const values = Object.entries(measures).flatMap(([key, { title, unit }]) => {
    const value = measured[key]
    if (value === undefined) return []
    return [`${say(title, lang)} ${formatValue(value, lang, t)}${unit === undefined ? '' : ` ${unit}`}`]
  })
  const verdict = paintObserved(t, noteColour, expected, observed)
  return `${mark(noteColour, expected === observed)} ${name.padEnd(nameWidth)}  ${verdict}  ${noteColour.dim(values.join(' · '))}`
}
