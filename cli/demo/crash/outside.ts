/**
 * The outside world of a demonstration: a sandbox of its own, its faults, and what it has seen. It counts for itself and knows
 * nothing of the shop, so its word is what is believed about double charges.
 */
import type { Fetch } from '../../http/client.ts'
import type { Stage } from './stage.ts'

export interface Charge {
  readonly paymentId: string
  readonly amount: number
  readonly status: 'authorized' | 'captured' | 'voided' | 'refunded'
}

export interface Parcel {
  readonly orderId: string | null
  readonly status: 'accepted' | 'undeliverable' | 'voided'
}

export interface OutsideSeen {
  readonly charges: readonly Charge[]
  /** Payments that were charged twice, by the card processor's own count. */
  readonly doubleCharges: number
  readonly parcels: readonly Parcel[]
  /** Subjects. */
  readonly mails: readonly string[]
  /** How often a fault of the card processor struck. */
  readonly faults: { readonly lostAnswers: number; readonly refusals: number }
}

export interface Outside {
  readonly url: string
  look(): Promise<OutsideSeen>
}

/** In a hundred calls to the card processor: so many are done and their answers lost, so many are refused with 503. */
export const FAULTS = { lostAnswers: 10, refusals: 10 } as const

export interface OutsideOptions {
  readonly stage: Stage
  readonly name: string
  readonly env: NodeJS.ProcessEnv
  readonly fetch: Fetch
  readonly seed: number
}

export async function startOutside({ stage, name, env, fetch, seed }: OutsideOptions): Promise<Outside> {
  const args = ['--data', `${stage.directory}/${name}`]
  const { said } = await stage.start(name, { program: 'sandbox/main.ts', args, env })
  const url = /http:[^\s,]+/.exec(said)?.[0] ?? ''
  const ask = async <Body>(path: string, init?: RequestInit): Promise<Body> => {
    const response = await fetch(url + path, init)
    if (!response.ok) throw new Error(`${url}${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as Body
  }
  const items = async <Item>(path: string) => (await ask<{ items: Item[] }>(path)).items
  const card = { lostAnswerRate: FAULTS.lostAnswers / 100, errorRate: FAULTS.refusals / 100, seed }
  const headers = { 'content-type': 'application/json' }
  await ask('/faults', { method: 'PUT', headers, body: JSON.stringify({ card }) })

  return {
    url,
    async look() {
      const [charges, parcels, mails, doubles, faults] = await Promise.all([
        items<Charge>('/charges'),
        items<Parcel>('/shipments'),
        items<{ subject: string }>('/mails'),
        ask<{ charges: number }>('/doubles'),
        ask<{ card: { fired: { lostAnswers: number; errors: number } } }>('/faults'),
      ])
      const { lostAnswers, errors } = faults.card.fired
      return {
        charges,
        doubleCharges: doubles.charges,
        parcels,
        mails: mails.map(({ subject }) => subject),
        faults: { lostAnswers, refusals: errors },
      }
    },
  }
}
