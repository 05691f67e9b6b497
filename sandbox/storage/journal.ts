/**
 * An append-only file that answers when its text is on the disk.
 *
 * Group commit without waiting: while one batch is being written and flushed, arrivals collect; the next write takes
 * them all. An idle journal flushes one line at once, a busy one hundreds together.
 *
 * J1. `append` resolves only after the line was written and flushed. Order of resolution = order in the file.
 * J2. A write that failed (disk full) is taken back by truncating to the last flushed byte; its batch rejects with
 *     `NotStored` and later batches are tried again, so the journal recovers as soon as there is room.
 * J3. A failed flush or truncation leaves unknown what is on the disk, and asking again would lie (the kernel has
 *     dropped the pages). The journal is then broken for good: everything rejects and `onBroken` is told once, whose
 *     only honest reaction is to end the process and read the file again.
 */
import { open } from 'node:fs/promises'
import { OWN_ONLY } from './files.ts'
import { encodeLine } from './journal-lines.ts'

/** What the journal needs of a file; node's FileHandle is one. A test passes a disk that is full. */
export interface JournalFile {
  appendFile(bytes: Buffer): Promise<void>
  datasync(): Promise<void>
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

export class NotStored extends Error {
  override readonly name = 'NotStored'
}

interface Batch {
  readonly lines: string[]
  readonly stored: Promise<void>
  readonly settle: { resolve: () => void; reject: (error: Error) => void }
}

export class Journal {
  readonly #file: JournalFile
  readonly #onBroken: (error: Error) => void
  #bytes: number
  #next: Batch | undefined
  #draining: Promise<void> | undefined
  /** Why nothing more is taken: closed or broken. */
  #refusal: NotStored | undefined
  #broken: NotStored | undefined

  /** `bytes` is the file's flushed length. */
  constructor(file: JournalFile, bytes: number, onBroken: (error: Error) => void) {
    this.#file = file
    this.#bytes = bytes
    this.#onBroken = onBroken
  }

  /** Resolves when `text` (no newline inside) will survive a kill and a power cut (J1). @throws NotStored (J2, J3). */
  append(text: string): Promise<void> {
    if (this.#refusal) return Promise.reject(this.#refusal)
    this.#next ??= newBatch()
    this.#next.lines.push(encodeLine(text))
    const { stored } = this.#next
    this.#draining ??= this.#drain()
    return stored
  }

  /** Waits for what was appended and closes the file. */
  async close(): Promise<void> {
    this.#refusal ??= new NotStored('The journal is closed')
    await this.#draining
    await this.#file.close()
  }

  async #drain(): Promise<void> {
    while (this.#next) {
      const batch = this.#next
      this.#next = undefined
      const failure = this.#broken ?? (await this.#store(Buffer.from(batch.lines.join(''))))
      if (failure) batch.settle.reject(failure)
      else batch.settle.resolve()
    }
    this.#draining = undefined
  }

  async #store(bytes: Buffer): Promise<NotStored | undefined> {
    try {
      await this.#file.appendFile(bytes)
    } catch (error) {
      return this.#takeBack(error)
    }
    try {
      await this.#file.datasync()
    } catch (error) {
      return this.#break('The journal could not be flushed', error)
    }
    this.#bytes += bytes.length
    return undefined
  }

  async #takeBack(cause: unknown): Promise<NotStored> {
    try {
      await this.#file.truncate(this.#bytes)
    } catch (error) {
      return this.#break('A half written journal could not be cut back', error)
    }
    return new NotStored(`The journal could not be written: ${String(cause)}`, { cause })
  }

  #break(what: string, cause: unknown): NotStored {
    this.#broken = new NotStored(`${what}: ${String(cause)}`, { cause })
    this.#refusal = this.#broken
    this.#onBroken(this.#broken)
    return this.#broken
  }
}

/** Opens the journal at `path` for appending behind its first `bytes` bytes, which `replay` has verified. */
export async function openJournal(path: string, bytes: number, onBroken: (error: Error) => void): Promise<Journal> {
  return new Journal(await open(path, 'a', OWN_ONLY), bytes, onBroken)
}

function newBatch(): Batch {
  let settle: Batch['settle'] = { resolve() {}, reject() {} }
  const stored = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { lines: [], stored, settle }
}
