/** Where webhooks are sent and what signs them: a book of one row. */
import type { Book } from '../storage/store.ts'

export interface EndpointRow {
  readonly key: 'endpoint'
  /** Null: nowhere. */
  readonly url: string | null
  readonly secret: string | null
}

export interface EndpointAddress {
  readonly url: string
  readonly secret: string
}

export class Endpoint implements Book<EndpointRow> {
  readonly name = 'webhooks'
  #row: EndpointRow | undefined

  get size(): number {
    return this.#row ? 1 : 0
  }

  put(row: EndpointRow): void {
    this.#row = row
  }

  rows(): Iterable<EndpointRow> {
    return this.#row ? [this.#row] : []
  }

  /** Undefined when nothing is sent. */
  get address(): EndpointAddress | undefined {
    const { url = null, secret = null } = this.#row ?? {}
    return url === null || secret === null ? undefined : { url, secret }
  }
}
