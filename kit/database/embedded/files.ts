/** Small files that must be there whole or not at all, also after a power cut. */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { errnoOf } from './errors.ts'

/**
 * Written aside under an unguessable name, flushed, renamed: nobody reads half of it, and no link at `path` is followed. It
 * belongs to the owner of its directory, also when root writes it.
 */
export function writeWhole(path: string, content: string, mode: number): void {
  const aside = `${path}.${randomBytes(6).toString('hex')}.part`
  const file = openSync(aside, 'wx', mode)
  try {
    writeSync(file, content)
    fchmodSync(file, mode)
    const { uid, gid } = statSync(dirname(path))
    if (process.getuid?.() === 0) fchownSync(file, uid, gid)
    fsyncSync(file)
  } catch (error) {
    rmSync(aside, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
  renameSync(aside, path)
  flushDirectory(dirname(path))
}

/** Makes the names in a directory durable. */
export function flushDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } catch {
    // Some file systems cannot, and then need not.
  } finally {
    closeSync(directory)
  }
}

/** The text of a file, or undefined when there is none. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}
