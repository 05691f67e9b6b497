/**
 * What payments says and understands. A payment is asked for under the id of what it pays for, which is its key in the log;
 * payments knows nobody.
 */
import { Type, type Static } from 'typebox'
import { message } from '@cauce/kit/log/message'
import { Amount, Currency } from '@cauce/kit/core/schemas'

const Paid = { orderId: Type.String(), paymentId: Type.String() }

/** Asks to secure the amount. Answered by PaymentAuthorized or PaymentDeclined. */
export const AuthorizePayment = message(
  'AuthorizePayment',
  'orderId',
  Type.Object({
    ...Paid,
    customer: Type.String(),
    amount: Type.Integer(),
    currency: Type.String(),
    method: Type.Enum(['wallet', 'card']),
    /** Which card; with method card. */
    token: Type.Optional(Type.String()),
  }),
)
export const PaymentAuthorized = message(
  'PaymentAuthorized',
  'orderId',
  Type.Object({
    ...Paid,
    /** Milliseconds; when what was secured is no longer. Absent when it stays until it is given back. */
    until: Type.Optional(Type.Integer()),
  }),
)
/** `code` is a failure code of the order: insufficient-funds or payment-declined. */
export const PaymentDeclined = message(
  'PaymentDeclined',
  'orderId',
  Type.Object({ ...Paid, code: Type.Enum(['insufficient-funds', 'payment-declined']), message: Type.String() }),
)
/** Asks to take what was secured. Cannot fail for business reasons. */
export const CapturePayment = message('CapturePayment', 'orderId', Type.Object(Paid))
export const PaymentCaptured = message('PaymentCaptured', 'orderId', Type.Object(Paid))
/** The other answer to CapturePayment: what was secured could not be taken, and not secured again. People must collect it. */
export const PaymentUncollected = message(
  'PaymentUncollected',
  'orderId',
  Type.Object({ ...Paid, message: Type.String() }),
)
/** Asks to undo, also before the payment is known: a later AuthorizePayment is then refused. */
export const VoidPayment = message('VoidPayment', 'orderId', Type.Object(Paid))
export const PaymentVoided = message('PaymentVoided', 'orderId', Type.Object(Paid))
/** All of a captured payment was given back; the answer to VoidPayment when the money had been captured. */
export const PaymentRefunded = message('PaymentRefunded', 'orderId', Type.Object(Paid))

/** The card processor refused a refund for good: nothing went back, and the sum is free again. Somebody should look. */
export const RefundFailed = message(
  'RefundFailed',
  'orderId',
  Type.Object({ ...Paid, refundId: Type.String(), message: Type.String() }),
)

export const AccountId = Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$', examples: ['alice'] })

export const Account = Type.Object(
  {
    id: AccountId,
    currency: Currency,
    balance: Type.Integer({ description: 'Minor units that can be spent; holds excluded' }),
    held: Type.Integer({ description: 'Minor units held for payments under way' }),
    version: Type.Integer(),
  },
  {
    $id: 'Account',
    additionalProperties: false,
    examples: [{ id: 'alice', currency: 'EUR', balance: 46_002, held: 3998, version: 7 }],
  },
)
export type Account = Static<typeof Account>

export const OpenAccount = Type.Object(
  { currency: Currency, id: Type.Optional(AccountId) },
  { additionalProperties: false, examples: [{ currency: 'EUR' }] },
)
export type OpenAccount = Static<typeof OpenAccount>

export const Deposit = Type.Object(
  { amount: Amount, currency: Currency, reference: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false, examples: [{ amount: 50_000, currency: 'EUR', reference: 'bank transfer 71' }] },
)
export type Deposit = Static<typeof Deposit>

export const PostedDeposit = Type.Object(
  {
    id: Type.String(),
    account: AccountId,
    amount: Amount,
    currency: Currency,
    reference: Type.String(),
    status: Type.Enum(['posted']),
  },
  {
    $id: 'Deposit',
    additionalProperties: false,
    examples: [
      {
        id: 'dep_019ab3f0c1d27000a1b2c3d4e5f60718',
        account: 'alice',
        amount: 50_000,
        currency: 'EUR',
        reference: 'bank transfer 71',
        status: 'posted',
      },
    ],
  },
)
export type PostedDeposit = Static<typeof PostedDeposit>

export const Transfer = Type.Object(
  { from: AccountId, to: AccountId, amount: Amount, currency: Currency },
  { additionalProperties: false, examples: [{ from: 'alice', to: 'bob', amount: 1250, currency: 'EUR' }] },
)
export type Transfer = Static<typeof Transfer>

export const PostedTransfer = Type.Object(
  {
    id: Type.String({ pattern: '^trf_[0-9a-f]{32}$' }),
    from: AccountId,
    to: AccountId,
    amount: Amount,
    currency: Currency,
    status: Type.Enum(['posted']),
  },
  {
    $id: 'Transfer',
    additionalProperties: false,
    examples: [
      {
        id: 'trf_019ab3f0c1d27000a1b2c3d4e5f60718',
        from: 'alice',
        to: 'bob',
        amount: 1250,
        currency: 'EUR',
        status: 'posted',
      },
    ],
  },
)
export type PostedTransfer = Static<typeof PostedTransfer>

export const paymentMethods = ['wallet', 'card'] as const

/** Stands for a card at the processor; never a card number. */
export const CardToken = Type.String({
  pattern: '^(?!\\d{12,19}$)[\\x21-\\x7e]{1,200}$',
  description: 'What the card processor gave for the card; a card number is refused',
  examples: ['tok_ok'],
})

export const Pay = Type.Object(
  {
    amount: Amount,
    currency: Currency,
    method: Type.Enum([...paymentMethods]),
    token: Type.Optional(CardToken),
    reference: Type.String({ minLength: 1, maxLength: 200, description: 'What is paid for, in your words' }),
  },
  {
    additionalProperties: false,
    examples: [{ amount: 1999, currency: 'EUR', method: 'card', token: 'tok_ok', reference: 'invoice 7' }],
  },
)
export type Pay = Static<typeof Pay>

export const paymentStatuses = [
  'pending',
  'authorized',
  'captured',
  'declined',
  'voided',
  'refunded',
  'uncollected',
] as const
export type PaymentStatus = (typeof paymentStatuses)[number]

export const PaymentId = Type.String({
  pattern: '^pay_[0-9a-f]{32}$',
  examples: ['pay_019ab3f0c1d27000a1b2c3d4e5f60718'],
})

export const Payment = Type.Object(
  {
    id: PaymentId,
    customer: Type.String(),
    amount: Amount,
    currency: Currency,
    method: Type.Enum([...paymentMethods]),
    status: Type.Enum([...paymentStatuses]),
    refunded: Type.Integer({ description: 'Minor units given back, refunds under way included' }),
    reference: Type.String({ description: 'What is paid for' }),
    version: Type.Integer(),
  },
  {
    $id: 'Payment',
    additionalProperties: false,
    examples: [
      {
        id: 'pay_019ab3f0c1d27000a1b2c3d4e5f60718',
        customer: 'alice',
        amount: 1999,
        currency: 'EUR',
        method: 'card',
        status: 'captured',
        refunded: 0,
        reference: 'invoice 7',
        version: 3,
      },
    ],
  },
)
export type Payment = Static<typeof Payment>

export const AskRefund = Type.Object(
  { amount: Amount, currency: Currency, reason: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false, examples: [{ amount: 500, currency: 'EUR', reason: 'arrived broken' }] },
)
export type AskRefund = Static<typeof AskRefund>

export const refundStatuses = ['pending', 'refunded', 'failed'] as const

export const Refund = Type.Object(
  {
    id: Type.String({ pattern: '^ref_[0-9a-f]{32}$' }),
    payment: PaymentId,
    amount: Amount,
    currency: Currency,
    reason: Type.String(),
    status: Type.Enum([...refundStatuses], {
      description: 'pending: the card processor has been asked. failed: it refused for good, and the sum is free again',
    }),
  },
  {
    $id: 'Refund',
    additionalProperties: false,
    examples: [
      {
        id: 'ref_019ab3f0c1d27000a1b2c3d4e5f60718',
        payment: 'pay_019ab3f0c1d27000a1b2c3d4e5f60718',
        amount: 500,
        currency: 'EUR',
        reason: 'arrived broken',
        status: 'pending',
      },
    ],
  },
)
export type Refund = Static<typeof Refund>
