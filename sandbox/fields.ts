/** Reading fields out of JSON from outside. Every reader names the field it refuses. */
import { BadRequest } from './http.ts'

export type Fields = Record<string, unknown>

const invalid = (message: string): BadRequest => new BadRequest(422, 'invalid', message)

export function fields(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${name} must be an object`)
  return value as Fields
}

export function text(from: Fields, field: string, maxLength = 200): string {
  const value = from[field]
  if (typeof value === 'string' && value.length > 0 && value.length <= maxLength) return value
  throw invalid(`${field} must be a text of 1 to ${maxLength} characters`)
}

export function list(from: Fields, field: string, maxLength = 1000): unknown[] {
  const value = from[field]
  if (Array.isArray(value) && value.length > 0 && value.length <= maxLength) return value
  throw invalid(`${field} must be a list of 1 to ${maxLength} members`)
}

/** A whole number in [low, high]; `fallback`, when given, for a field that is absent. */
export function integer(from: Fields, field: string, low: number, high: number, fallback?: number): number {
  const value = from[field] ?? fallback
  if (Number.isSafeInteger(value) && low <= (value as number) && (value as number) <= high) return value as number
  throw invalid(`${field} must be a whole number from ${low} to ${high}`)
}

/** A share in [0, 1]; 0 when absent. */
export function rate(from: Fields, field: string): number {
  const value = from[field] ?? 0
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw invalid(`${field} must be a number from 0 to 1`)
}

export function only(from: Fields, name: string, known: readonly string[]): void {
  const unknown = Object.keys(from).find((field) => !known.includes(field))
  if (unknown !== undefined) throw invalid(`${name} has no '${unknown}'; it takes ${known.join(', ')}`)
}

/** An idempotency key: 1 to 255 visible ASCII characters. One sent twice arrives joined by a comma and a space, so it fails. */
export function key(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[\x21-\x7e]{1,255}$/.test(value)) return value
  throw new BadRequest(400, 'bad-key', `${name} must be there once, with 1 to 255 visible characters`)
}

/** A paging number from a query; `fallback` when absent. */
export function count(query: URLSearchParams, name: string, fallback: number): number {
  const value = query.get(name)
  if (value === null) return fallback
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw new BadRequest(400, 'bad-query', `${name} must be a whole number`)
}
