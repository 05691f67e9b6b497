/**
 * The server's log, `<CAUCE_DATA>/server.log`. The server writes it itself (it is its standard error), so that no line is lost
 * when whoever started it is killed; here it is only followed.
 */
import { closeSync, chmodSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import type { Timers } from '@cauce/kit/core/clock'

export interface LogFile {
  readonly path: string
  /** Open for appending; the caller closes it. */
  readonly descriptor: number
  /** Its length when it was opened: what comes after is new. */
  readonly offset: number
}

/** A file larger than this is put aside as `server.log.1` at the next start. */
const LARGEST_BYTES = 10 * 1024 * 1024
/** Soon while it grows, seldom while nothing happens. */
const LOOK_AGAIN_MS = { soonest: 100, latest: 1000 }
const CHUNK_BYTES = 64 * 1024

export function openLogFile(dataDirectory: string): LogFile {
  const made = mkdirSync(dataDirectory, { recursive: true })
  // As the server makes it: the account of the embedded database passes through, whatever the umask is.
  if (made !== undefined) for (const path of new Set([made, dataDirectory])) chmodSync(path, 0o755)
  const path = join(dataDirectory, 'server.log')
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LARGEST_BYTES) renameSync(path, `${path}.1`)
  const descriptor = openSync(path, 'a', 0o600)
  return { path, descriptor, offset: statSync(path).size }
}

/** Calls back for every complete line from `offset` on, until the signal aborts; then once more for what was still there. */
export async function followLog(
  { path, offset }: Pick<LogFile, 'path' | 'offset'>,
  onLine: (line: string) => void,
  timers: Timers,
  signal: AbortSignal,
): Promise<void> {
  const descriptor = openSync(path, 'r')
  const buffer = Buffer.alloc(CHUNK_BYTES)
  const decoder = new StringDecoder('utf8')
  let position = offset
  let rest = ''
  const readNew = () => {
    for (;;) {
      const bytes = readSync(descriptor, buffer, 0, buffer.length, position)
      if (bytes === 0) return
      position += bytes
      const lines = (rest + decoder.write(buffer.subarray(0, bytes))).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    }
  }
  try {
    for (let waitMs = LOOK_AGAIN_MS.soonest; !signal.aborted;) {
      const before = position
      readNew()
      waitMs = position > before ? LOOK_AGAIN_MS.soonest : Math.min(waitMs * 1.5, LOOK_AGAIN_MS.latest)
      await timers.sleep(waitMs, signal)
    }
    readNew()
    if (rest !== '') onLine(rest)
  } finally {
    closeSync(descriptor)
  }
}
