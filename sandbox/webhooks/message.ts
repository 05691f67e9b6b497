/** A webhook as it goes over the wire. Pure. */
import { createHmac, hash } from 'node:crypto'
import type { ChargeEvent, ChargeRow } from '../card/rows.ts'

/** The body that tells one change of a charge: the same bytes each time. */
export function bodyOf({ key, charge, expiresAt }: ChargeRow, event: ChargeEvent): string {
  const { sequence, type, at, status, refunded } = event
  const { paymentId, amount, currency } = charge ?? {}
  return JSON.stringify({
    id: `evt_${hash('sha256', `${key}:${sequence}`, 'base64url').slice(0, 22)}`,
    type: `charge.${type}`,
    sequence,
    at: new Date(at).toISOString(),
    charge: { key, paymentId, amount, currency, status, refunded, expiresAt: new Date(expiresAt).toISOString() },
  })
}

/** Signed anew for each try: the time is part of it. */
export function signatureOf(secret: string, nowMs: number, body: string): string {
  const seconds = Math.floor(nowMs / 1000)
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
}
