import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes a created, renamed or removed name inside `directory` survive a power cut. A no-op where directories cannot be opened. */
export function syncDirectory(directory: string): void {
  let descriptor: number
  try {
    descriptor = openSync(directory, 'r')
  } catch {
    return // Windows: its file systems journal names by themselves
  }
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const writeChars = 256 * 1024

/** For what holds cards, mails and the webhooks' secret: nobody else on the machine reads it. */
export const OWN_ONLY = 0o600

/**
 * Replaces `path` by the chunks, durably: a reader, also one after a crash, sees the old file or the new one, never a
 * part. One writer at a time. @returns the length in bytes.
 */
export function writeAtomically(path: string, chunks: Iterable<string>, mode = OWN_ONLY): number {
  const draft = `${path}.draft`
  const descriptor = openSync(draft, 'w', mode)
  let length = 0
  try {
    for (const bytes of gathered(chunks)) length += writeWhole(descriptor, bytes)
    fsyncSync(descriptor)
  } catch (error) {
    rmSync(draft, { force: true }) // on a full disk the draft would keep it full
    throw error
  } finally {
    closeSync(descriptor)
  }
  renameSync(draft, path)
  syncDirectory(dirname(path))
  return length
}

function* gathered(chunks: Iterable<string>): Generator<Buffer> {
  let text = ''
  for (const chunk of chunks) {
    text += chunk
    if (text.length < writeChars) continue
    yield Buffer.from(text)
    text = ''
  }
  yield Buffer.from(text)
}

function writeWhole(descriptor: number, bytes: Buffer): number {
  let written = 0
  while (written < bytes.length) written += writeSync(descriptor, bytes, written)
  return written
}
