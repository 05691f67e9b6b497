/**
 * The journal's file format: one text per line behind a checksum, `<crc32 as 8 hex digits> <text>\n`.
 *
 * L1. A line counts only whole: newline present and checksum right.
 * L2. What is not whole at the very end is the write a kill or a power cut interrupted. Nobody was answered for it, so
 *     it is cut off.
 * L3. A line that is not whole but has whole ones behind it is damage to what was answered for. Then nothing is read,
 *     nothing is changed, and a person decides.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { OWN_ONLY } from './files.ts'

export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged'
}

const newline = 0x0a
const prefixLength = 9
const chunkBytes = 256 * 1024

export function encodeLine(text: string): string {
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`
}

/** The text of one line without its newline, or undefined when the checksum does not match. */
function decodeLine(line: Buffer): string | undefined {
  if (line.length < prefixLength) return undefined
  const text = line.subarray(prefixLength)
  const prefix = `${crc32(text).toString(16).padStart(8, '0')} `
  return line.toString('latin1', 0, prefixLength) === prefix ? text.toString() : undefined
}

/**
 * Gives every text of the file at `path` to `take`, in order, and cuts a torn end off (L2). A missing file is empty.
 * @returns how many lines were read and how many bytes the file has now.
 * @throws JournalDamaged (L3), after which what `take` has seen must be thrown away.
 */
export function replay(path: string, take: (text: string) => void): { lines: number; bytes: number } {
  const descriptor = openSync(path, 'a+', OWN_ONLY)
  try {
    let lines = 0
    let bytes = 0
    let torn = false
    for (const { line, end } of readLines(descriptor)) {
      const text = decodeLine(line)
      if (text === undefined) {
        torn = true
      } else if (torn) {
        throw new JournalDamaged(
          `${path} is damaged after byte ${bytes} (line ${lines + 1}): whole lines follow one that fails its checksum, ` +
            'so it was changed after it was written. Restore the file from a copy, or remove it to start with an empty outside world.',
        )
      } else {
        take(text)
        lines++
        bytes = end
      }
    }
    ftruncateSync(descriptor, bytes)
    fsyncSync(descriptor)
    return { lines, bytes }
  } finally {
    closeSync(descriptor)
  }
}

/** Every line that ends in a newline, without it, and the offset behind it. An unfinished last line is left out. */
function* readLines(descriptor: number): Generator<{ line: Buffer; end: number }> {
  let carried: Buffer = Buffer.alloc(0)
  let carriedAt = 0
  for (let position = 0; ;) {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    const read = readSync(descriptor, chunk, 0, chunkBytes, position)
    if (read === 0) return
    position += read
    const bytes = Buffer.concat([carried, chunk.subarray(0, read)])
    let start = 0
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, start)) {
      yield { line: bytes.subarray(start, at), end: carriedAt + at + 1 }
      start = at + 1
    }
    carried = bytes.subarray(start)
    carriedAt += start
  }
}
