/** What payments' decisions refuse, as problems, and what its routes need. */
import type { Timers } from '@cauce/kit/core/clock'
import type { Pool } from '@cauce/kit/database/pool'
import type { Awaiting } from '@cauce/kit/http/consistency'
import type { CommandPort } from '@cauce/kit/http/commands'
import { problemsOf } from '@cauce/kit/http/problem'

export const paymentProblems = problemsOf({
  'not-found': { status: 404, title: 'Not found' },
  'precondition-failed': { status: 412, title: 'The resource has changed' },
  'account-exists': {
    status: 409,
    title: 'The account exists already',
    example: 'alice has an account in EUR',
  },
  'insufficient-funds': {
    status: 409,
    title: 'There is not enough in the account',
    example: '1250 were needed, 700 can be spent',
  },
  'not-refundable': {
    status: 409,
    title: 'Nothing was captured that could be given back',
    example: 'The payment is declined: only what was captured can be given back',
  },
  'currency-mismatch': {
    status: 422,
    title: 'The currencies differ',
    example: 'The account is in EUR, the deposit in USD',
  },
  'balance-too-large': {
    status: 422,
    title: 'The balance is too large',
    example: 'With 9007199254740991 more alice would exceed what can be counted exactly',
  },
  'same-account': {
    status: 422,
    title: 'Both accounts are the same',
    example: 'A transfer needs two accounts',
  },
  'unknown-recipient': {
    status: 422,
    title: 'There is no such recipient',
    example: 'There is no account nobody',
  },
  'refund-too-large': {
    status: 422,
    title: 'More than is left to give back',
    example: '2000 were asked for, 1999 are left to give back',
  },
})

export interface PaymentRoutes extends Pick<CommandPort, 'queue' | 'ids' | 'tokens'> {
  readonly reads: Pool
  /** Waits for what a request's token says. */
  readonly caughtUp?: Awaiting
  readonly timers: Timers
  /** Aborted when the server drains: nobody is kept waiting then. */
  readonly draining?: AbortSignal
  /** What the card processor may have signed its news with. */
  readonly webhookSecrets: () => readonly string[]
}
