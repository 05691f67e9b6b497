import { createHash } from 'node:crypto'

/**
 * The id of the `index`-th thing of a kind that an input's decision makes: 32 hex digits, always the same for the same
 * input, so a repeated decision makes the same ids and a provider sees the same key.
 */
export function derivedId(inputId: string, kind: 'message' | 'task', index: number): string {
  return createHash('sha256').update(`${inputId}:${kind}:${index}`).digest('hex').slice(0, 32)
}
