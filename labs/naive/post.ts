/** Calls to the card processor and the carrier: three tries, as one does. */
import { systemTimers } from '@cauce/kit/core/clock'

export interface Reply {
  readonly status: number
  readonly body: unknown
  /** The key of the try that was answered. */
  readonly key: string
}

const TRIES = 3
const PAUSE_MS = 100

/** @throws when no try was answered with less than 500. */
export async function post(url: string, body: object, keyOf: () => string): Promise<Reply> {
  for (let attempt = 1; ; attempt++) {
    const key = keyOf()
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(5_000),
      })
      if (response.status < 500) return { status: response.status, body: await response.json(), key }
      throw new Error(`${url} answered ${response.status}`)
    } catch (error) {
      if (attempt === TRIES) throw error
    }
    await systemTimers.sleep(PAUSE_MS)
  }
}
