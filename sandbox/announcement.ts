import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomically } from './storage/files.ts'

/**
 * Where the sandbox of a directory is found: `<directory>/sandbox.json`. It stays behind when the process ends, so that
 * the next one takes the same port again: it is a hint, not a proof.
 */
export interface Announcement {
  readonly url: string
  /** Where its inbox takes mail. */
  readonly smtp: string
  readonly pid: number
}

const fileOf = (directory: string): string => join(directory, 'sandbox.json')

export const lockOf = (directory: string): string => join(directory, 'sandbox.lock')

export function announce(directory: string, { url, smtp, pid }: Announcement): void {
  writeAtomically(fileOf(directory), [JSON.stringify({ url, smtp, pid })], 0o644)
}

/** The last announcement, or undefined when there is none that can be read. */
export function announced(directory: string): Announcement | undefined {
  try {
    const { url, smtp, pid } = JSON.parse(readFileSync(fileOf(directory), 'utf8')) as Partial<Announcement>
    return isUrl(url) && isUrl(smtp) && Number.isInteger(pid) ? { url, smtp, pid: pid as number } : undefined
  } catch {
    return undefined
  }
}

const isUrl = (value: unknown): value is string => typeof value === 'string' && URL.canParse(value)
