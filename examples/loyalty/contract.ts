/** What loyalty says and understands. It listens to orders, and nobody has to listen to it. */
import { Type, type Static } from 'typebox'
import { message } from '@cauce/kit/log/message'

export const PointsEarned = message(
  'PointsEarned',
  'orderId',
  Type.Object({ orderId: Type.String(), member: Type.String(), points: Type.Integer() }),
)

export const MemberId = Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$', examples: ['alice'] })

export const Member = Type.Object(
  { id: MemberId, points: Type.Integer({ description: 'Points that can be spent' }), version: Type.Integer() },
  { $id: 'Member', additionalProperties: false },
)
export type Member = Static<typeof Member>

export const SpendPoints = Type.Object(
  {
    points: Type.Integer({ minimum: 1, maximum: 1_000_000, examples: [30] }),
    reason: Type.String({ minLength: 1, maxLength: 200, examples: ['a mug'] }),
  },
  { additionalProperties: false },
)
export type SpendPoints = Static<typeof SpendPoints>
