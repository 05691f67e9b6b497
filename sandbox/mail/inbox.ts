/**
 * The inbox: every mail once by its Message-ID, as mail stores keep them, however often it came.
 *
 * Pure but for the book's own memory: a decision returns the row to store and changes nothing.
 */
import { hash } from 'node:crypto'
import { KeyedRows } from '../storage/keyed-rows.ts'
import type { Book, Decision } from '../storage/store.ts'
import { readMail } from './message.ts'

export interface MailRow {
  /** Its Message-ID; of a mail without one, a hash of what was sent. */
  readonly key: string
  readonly from: string
  /** Every recipient. */
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  /** When it first came, in ms. */
  readonly receivedAt: number
  /** How often it came and was kept. */
  readonly received: number
}

export type Mail = Omit<MailRow, 'receivedAt' | 'received'>

export class Inbox implements Book<MailRow> {
  readonly name = 'mails'
  readonly #rows = new KeyedRows<MailRow>({ about: ({ to }) => to[0] ?? null, isListed: () => true })

  get size(): number {
    return this.#rows.size
  }

  put(row: MailRow): void {
    this.#rows.put(row)
  }

  rows(): Iterable<MailRow> {
    return this.#rows.rows()
  }

  get(messageId: string): MailRow | undefined {
    return this.#rows.get(messageId)
  }

  /** In the order in which they first came. */
  page(offset: number, limit: number): MailRow[] {
    return this.#rows.page(offset, limit)
  }

  /** Those whose first recipient this is, in the same order. */
  toRecipient(address: string): MailRow[] {
    return this.#rows.about(address)
  }

  decideReceipt(mail: Mail, now: number): Decision<MailRow, void> {
    const row = this.get(mail.key) ?? { ...mail, receivedAt: now, received: 0 }
    return { row: { ...row, received: row.received + 1 }, answer: undefined }
  }
}

/** A mail as the inbox keeps it: the envelope says who, the content what. */
export function mailOf(envelope: { readonly from: string; readonly to: readonly string[] }, content: Buffer): Mail {
  const { messageId, subject, text } = readMail(content)
  return { key: messageId ?? `<${hash('sha256', content).slice(0, 32)}@unnamed>`, ...envelope, subject, text }
}
