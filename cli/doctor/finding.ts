/** One line of the doctor's: what was looked at, how it is, what to do. */

export const subjects = [
  'node',
  'data',
  'key',
  'disk',
  'port',
  'server',
  'database',
  'durability',
  'sandbox',
  'clock',
] as const
export type Subject = (typeof subjects)[number]
export type Status = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly name: Subject
  readonly status: Status
  readonly detail: string
  /** What to do; null when there is nothing to do. */
  readonly advice: string | null
}

export const fine = (name: Subject, detail: string): Finding => ({ name, status: 'ok', detail, advice: null })
export const warn = (name: Subject, detail: string, advice: string | null = null): Finding => ({
  name,
  status: 'warn',
  detail,
  advice,
})
export const fail = (name: Subject, detail: string, advice: string): Finding => ({
  name,
  status: 'fail',
  detail,
  advice,
})
