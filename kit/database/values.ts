/**
 * What a column can hold, the same for PostgreSQL and memory. A value is refused here when the database would refuse it
 * (NUL in text, NaN), would change it (half a surrogate pair) or could not give it back (an integer beyond the safe range,
 * a year of five digits). Fractions of a millisecond are cut off. The refusal is of class 22: the fault of the input that made it.
 */
import { EncodingError } from './errors.ts'
import type { ColumnKind } from './table.ts'

/** The years 1 to 9999: those that both sides write with four digits. */
const EARLIEST_MS = -62_135_596_800_000
const LATEST_MS = 253_402_300_799_999

const unstorable = /[\0\p{Cs}]/u

const holds: Record<ColumnKind, (value: unknown) => boolean> = {
  text: (value) => typeof value === 'string' && !unstorable.test(value),
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === 'boolean',
  json: () => true,
  instant: isInstant,
}

/** Throws EncodingError when a column of this kind cannot hold the value. Null and undefined are not looked at. */
export function assertHolds(kind: ColumnKind, name: string, value: unknown): void {
  if (value === null || value === undefined || holds[kind](value)) return
  throw new EncodingError(`${name}: ${printed(value)} cannot be stored as ${kind}`)
}

/** Milliseconds as PostgreSQL reads them. Throws EncodingError for what is no instant. */
export function instantText(ms: number): string {
  if (ms === last.ms) return last.text
  if (!isInstant(ms))
    throw new EncodingError(`${printed(ms)} is no instant in milliseconds between the years 1 and 9999`)
  last = { ms, text: new Date(ms).toISOString() }
  return last.text
}

/** Most instants of a batch are its one `now`. */
let last: { readonly ms: number; readonly text: string } = { ms: 0, text: new Date(0).toISOString() }

/** JSON text. Throws EncodingError for what has none: a cycle, a bigint, undefined. */
export function jsonText(value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw new EncodingError(`This has no JSON: ${(error as Error).message}`, { cause: error })
  }
  if (text === undefined) throw new EncodingError(`${printed(value)} has no JSON`)
  return text
}

/** Text that any text column takes: what is reported by others may hold anything. */
export function storableText(text: unknown, longest = 2000): string {
  return String(text)
    .slice(0, longest)
    .replaceAll(/[\0\p{Cs}]/gu, '\uFFFD')
}

function isInstant(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= EARLIEST_MS && (value as number) <= LATEST_MS
}

const printed = (value: unknown): string =>
  (typeof value === 'string' ? JSON.stringify(value) : String(value)).slice(0, 200)
