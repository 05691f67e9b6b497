/** Schemas every contract shares. */
import { Type } from 'typebox'

/** A positive count of minor units. */
export const Amount = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Minor units',
  examples: [1999],
})

export const currencies = ['EUR', 'USD', 'GBP', 'MXN', 'JPY'] as const
export const Currency = Type.Enum([...currencies], { description: 'ISO 4217', examples: ['EUR'] })

export const Timestamp = Type.String({
  format: 'date-time',
  description: 'UTC',
  examples: ['2026-01-02T03:04:05.678Z'],
})
