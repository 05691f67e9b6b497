/** A customer with a browser: puts items into a basket over HTTP, remembers what was acknowledged, and may cheat. */
import { isDeepStrictEqual } from 'node:util'

export class Customer {
  readonly name: string
  /** What was acknowledged and must be in the basket. */
  basket: string[] = []
  /** Of `basket`, what the last answer did not have. */
  missing: string[] = []
  acknowledged = 0
  /** Answers that showed another basket than this one. */
  disagreements = 0
  #items = 0
  #cookie: string | undefined

  constructor(name: string) {
    this.name = name
  }

  /** @param addressOf where the n-th request goes */
  async fill(count: number, addressOf: (n: number) => string): Promise<void> {
    for (let n = 0; n < count; n++) {
      const item = `item-${++this.#items}`
      const shown = await this.#add(addressOf(n), item, this.#cookie)
      if (!shown) continue
      this.acknowledged += 1
      this.basket.push(item)
      this.missing = this.basket.filter((each) => !shown.includes(each))
      if (!isDeepStrictEqual(shown.toSorted(), this.basket.toSorted())) this.disagreements += 1
    }
  }

  /** Takes what is left for the basket from now on: each loss is counted once. */
  takeStock(): void {
    this.basket = this.basket.filter((item) => !this.missing.includes(item))
    this.disagreements = 0
  }

  /** Whether a changed cookie brings into the basket what was never put into it. */
  async cheat(address: string): Promise<boolean> {
    for (const cookie of changed(this.#cookie ?? '', this.basket)) {
      const shown = await this.#add(address, 'item', cookie)
      if (shown?.includes(GOLD)) return true
    }
    return false
  }

  /** The basket that is answered; undefined when the request was refused. */
  async #add(address: string, add: string, cookie: string | undefined): Promise<string[] | undefined> {
    const response = await fetch(`${address}/basket`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(cookie === undefined ? {} : { cookie: `basket=${cookie}` }) },
      body: JSON.stringify({ customer: this.name, add }),
    })
    const answer = (await response.json()) as { basket?: unknown }
    if (!response.ok) return undefined
    this.#cookie = /^basket=([^;]*)/.exec(response.headers.get('set-cookie') ?? '')?.[1] ?? this.#cookie
    return Array.isArray(answer.basket) ? answer.basket.map(String) : []
  }
}

const GOLD = 'gold-bar'
const encodings = ['base64url', 'base64', 'hex'] as const

/** The cookie with gold in place of an item, for each way in which its parts may be written, with what signs it and without. */
function changed(cookie: string, basket: readonly string[]): string[] {
  const text = decodeURIComponent(cookie)
  const found = new Set<string>()
  const tryWith = (before: string, part: string, after: string) => {
    for (const item of basket) {
      const plain = part.replace(item, GOLD)
      if (plain !== part) found.add(before + plain + after).add(before + plain)
      for (const encoding of encodings) {
        const decoded = Buffer.from(part, encoding).toString()
        const golden = Buffer.from(decoded.replace(item, GOLD)).toString(encoding)
        if (decoded.includes(item)) found.add(before + golden + after).add(before + golden)
      }
    }
  }
  tryWith('', text, '')
  const parts = text.split('.')
  for (const [i, part] of parts.entries()) {
    const before = parts.slice(0, i).map((each) => `${each}.`)
    const after = parts.slice(i + 1).map((each) => `.${each}`)
    tryWith(before.join(''), part, after.join(''))
  }
  return [...found].map((each) => encodeURIComponent(each))
}
