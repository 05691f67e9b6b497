/**
 * The one durable store under everything the sandbox pretends to be. Each provider keeps a book: rows in memory under a
 * key. The store writes a changed row to the journal first and gives it to the book when it is on the disk.
 *
 * S1. The memory is what the disk holds: a row is put only after its line is durable. So no answer and no read-out shows
 *     what a kill could take back, and a failed write needs no undo.
 * S2. Per (book, subject) decisions go one after the other: the next one sees the row the last one stored. Different
 *     subjects share flushes.
 * S3. A journal line is the whole row, `[book, row]`; the last line of a key wins. So replay is `put` in order, and
 *     compaction writes each row once.
 *
 * Compaction happens at start only, when most lines are history: written aside, flushed, renamed. While it runs, the
 * file grows by one line per change.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory, writeAtomically } from './files.ts'
import { encodeLine, replay } from './journal-lines.ts'
import { type Journal, openJournal } from './journal.ts'

/** One provider's rows. `Row` is plain JSON. */
export interface Book<Row> {
  /** Written into every line of it: never renamed. */
  readonly name: string
  /** Takes a new or changed row. Called in the order of the journal. */
  put(row: Row): void
  /** How many rows there are. */
  readonly size: number
  /** All rows in an order that `put` rebuilds this book from. */
  rows(): Iterable<Row>
}

/** What a decision comes to: the row to store, when something changed, and what to answer. */
export interface Decision<Row, Answer> {
  readonly row?: Row
  readonly answer: Answer
}

/** Below this a journal is not worth rewriting. */
const compactFromLines = 1000

export class Store {
  readonly #journal: Journal
  readonly #inFlight = new Map<string, Promise<void>>()

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** Decides about `subject` with nobody else deciding about it (S2), stores the row, then answers. @throws NotStored */
  async change<Row, Answer>(book: Book<Row>, subject: string, decide: () => Decision<Row, Answer>): Promise<Answer> {
    const turn = `${book.name} ${subject}`
    for (let earlier = this.#inFlight.get(turn); earlier; earlier = this.#inFlight.get(turn)) await earlier
    const { row, answer } = decide()
    if (row === undefined) return answer
    const stored = this.#journal
      .append(JSON.stringify([book.name, row]))
      .then(() => book.put(row))
      .finally(() => this.#inFlight.delete(turn))
    this.#inFlight.set(
      turn,
      stored.catch(() => {}),
    ) // who waits for the turn looks again, whatever became of this one
    await stored
    return answer
  }

  close(): Promise<void> {
    return this.#journal.close()
  }
}

/**
 * Fills the books from `<directory>/sandbox.journal`. The caller holds the directory's lock.
 * @param onBroken told when the disk no longer says what it holds; the process must end.
 * @throws JournalDamaged when what was answered for is no longer there.
 */
export async function openStore(
  directory: string,
  books: readonly Book<unknown>[],
  onBroken: (error: Error) => void,
): Promise<Store> {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'sandbox.journal')
  const byName = new Map(books.map((book) => [book.name, book]))
  const take = (text: string) => {
    const [name, row] = JSON.parse(text) as [string, unknown]
    const book = byName.get(name)
    if (!book) throw new Error(`${path} holds '${name}', which this version does not know. Start the newer one.`)
    book.put(row)
  }
  const { lines, bytes } = replay(path, take)
  const live = books.reduce((sum, book) => sum + book.size, 0)
  const mostlyHistory = lines >= compactFromLines && lines > 2 * live
  const length = mostlyHistory ? writeAtomically(path, eachLine(books)) : bytes
  syncDirectory(directory)
  return new Store(await openJournal(path, length, onBroken))
}

function* eachLine(books: readonly Book<unknown>[]): Generator<string> {
  for (const book of books) {
    for (const row of book.rows()) yield encodeLine(JSON.stringify([book.name, row]))
  }
}
