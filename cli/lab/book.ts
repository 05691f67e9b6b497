/**
 * What somebody has passed, in `<CAUCE_DATA>/labs.json`. Only a whole run counts: every variant, at default size, with the lab's own
 * numbers, whatever the seed. A lab that failed afterwards is one to look at again. The file is a convenience: when it cannot be
 * read or written that is said, and nothing else changes; one that is damaged is begun anew.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabDescription } from '@cauce/labs/contract'

export interface Entry {
  /** Of the last whole run; null when there was none. */
  readonly verdict: 'pass' | 'fail' | null
  /** Whether a variant of one's own has held. */
  readonly own: boolean
  /** When it was written, in ISO. */
  readonly at: string
}

export interface Book {
  readonly labs: Readonly<Record<string, Entry>>
  /** Why the file was not read. */
  readonly problem?: string
  /** There may be a good file behind the problem. */
  readonly isUnread?: true
}

export type State = 'passed' | 'failed' | 'untried'

const fileOf = (dataDirectory: string): string => join(dataDirectory, 'labs.json')

export function readBook(dataDirectory: string): Book {
  const path = fileOf(dataDirectory)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? { labs: {} }
      : { labs: {}, problem: `${path}: ${message}`, isUnread: true }
  }
  try {
    const { labs } = JSON.parse(text) as { labs: Record<string, unknown> }
    if (!Object.values(labs).every(isEntry)) throw new TypeError('an entry is none')
    return { labs: labs as Record<string, Entry> }
  } catch (error) {
    return { labs: {}, problem: `${path}: ${(error as Error).message}` }
  }
}

function isEntry(value: unknown): value is Entry {
  const { verdict, own, at } = (value ?? {}) as Partial<Entry>
  return ['pass', 'fail', null].includes(verdict ?? null) && typeof own === 'boolean' && typeof at === 'string'
}

/** Writes a lab down, beside what is there. Returns why it could not. */
export function writeBook(
  dataDirectory: string,
  id: string,
  { at, ...changed }: Pick<Entry, 'at'> & Partial<Entry>,
): string | undefined {
  const path = fileOf(dataDirectory)
  try {
    const made = mkdirSync(dataDirectory, { recursive: true })
    // As the server makes it: the account of the embedded database passes through, whatever the umask is.
    if (made !== undefined) chmodSync(dataDirectory, 0o755)
    const { labs, problem, isUnread } = readBook(dataDirectory)
    if (isUnread) return problem
    const before = labs[id] ?? { verdict: null, own: false }
    const after = { ...labs, [id]: { ...before, ...changed, at } }
    writeWhole(path, `${JSON.stringify({ labs: after }, null, 2)}\n`)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Whoever reads it meanwhile finds what was there before. */
function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, text)
  try {
    renameSync(unfinished, path)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}

export function stateOf({ labs }: Book, id: string): State {
  const { verdict = null } = labs[id] ?? {}
  return verdict === null ? 'untried' : verdict === 'pass' ? 'passed' : 'failed'
}

/** The first lab that is not passed after one, or of all of them; undefined when every other is. */
export function nextLab(labs: readonly LabDescription[], book: Book, afterId?: string): LabDescription | undefined {
  const at = labs.findIndex(({ id }) => id === afterId) + 1
  const inOrder = [...labs.slice(at), ...labs.slice(0, at)]
  return inOrder.find(({ id }) => id !== afterId && stateOf(book, id) !== 'passed')
}
