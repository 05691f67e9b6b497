/** Wallets over HTTP: open, read, put money in, transfer. */
import { Type } from 'typebox'
import { days } from '@cauce/kit/core/clock'
import { runCommand, type CommandPort } from '@cauce/kit/http/commands'
import { tokenHeader } from '@cauce/kit/http/consistency'
import { notModified } from '@cauce/kit/http/etag'
import { answers, NotModified } from '@cauce/kit/http/openapi'
import { maySee, principalOf } from '@cauce/kit/http/principal'
import { problem } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { Account, AccountId, Deposit, OpenAccount, PostedDeposit, PostedTransfer, Transfer } from './contract.ts'
import type { DepositCommand, OpenAccountCommand } from './decide-accounts.ts'
import { paymentProblems, type PaymentRoutes } from './http-problems.ts'
import type { Account as AccountRow } from './tables.ts'
import { findAccount, showAccount } from './views.ts'

/** What the reads need. */
type Reads = Pick<PaymentRoutes, 'reads' | 'caughtUp'>

const tags = ['payments']
const OneAccount = Type.Object({ id: AccountId }, { additionalProperties: false })

export function accountRoutes(app: HttpServer, port: CommandPort, routes: Reads): void {
  openRoute(app, port)
  depositRoute(app, port)
  transferRoute(app, port)
  readRoute(app, routes)
}

function openRoute(app: HttpServer, port: CommandPort): void {
  const schema = {
    tags,
    summary: 'Open a wallet',
    description:
      'A customer has one, and its id is the token’s subject. An operator may open one for somebody else, by `id`.',
    body: OpenAccount,
    sends: ['Location', 'ETag'] as const,
    ...answers({ 201: Account }, paymentProblems, ['account-exists']),
  }
  const config = { access: ['customer', 'operator'], key: true } as const
  app.post('/v1/accounts', { config, schema }, (request, reply) => {
    const principal = principalOf(request)
    const { currency, id = principal.subject } = request.body
    if (!maySee(principal, id))
      throw problem('forbidden', `Only an operator may open an account for somebody else. Leave out "id"`)
    const data: OpenAccountCommand = { id, currency }
    return runCommand(port, request, reply, {
      type: 'OpenAccount',
      data,
      keyTtlMs: days(1),
      answer(row) {
        const body = showAccount(row as AccountRow)
        return { status: 201, headers: { location: `/v1/accounts/${id}`, etag: `"${body.version}"` }, body }
      },
    })
  })
}

function depositRoute(app: HttpServer, port: CommandPort): void {
  const schema = {
    tags,
    summary: 'Put money into a wallet',
    params: OneAccount,
    body: Deposit,
    ...answers({ 201: PostedDeposit }, paymentProblems, ['not-found', 'currency-mismatch', 'balance-too-large']),
  }
  const config = { access: ['operator'], key: true } as const
  app.post('/v1/accounts/:id/deposits', { config, schema }, (request, reply) => {
    const data: DepositCommand = { ...request.body, account: request.params.id }
    // Where money moves the key is remembered longer.
    const answer = (body: unknown) => ({ status: 201, body: body as PostedDeposit })
    return runCommand(port, request, reply, { type: 'Deposit', data, keyTtlMs: days(7), answer })
  })
}

function transferRoute(app: HttpServer, port: CommandPort): void {
  const schema = {
    tags,
    summary: 'Move money from your wallet into another',
    body: Transfer,
    ...answers({ 201: PostedTransfer }, paymentProblems, [
      'not-found',
      'unknown-recipient',
      'same-account',
      'insufficient-funds',
      'currency-mismatch',
      'balance-too-large',
    ]),
  }
  const config = { access: ['customer'], key: true, priority: 0 } as const
  app.post('/v1/transfers', { config, schema }, (request, reply) => {
    const { from } = request.body
    // Only whoever owns it, not an operator: the money is theirs.
    if (from !== principalOf(request).subject) throw problem('not-found', `There is no account ${from} that is yours`)
    const answer = (body: unknown) => ({ status: 201, body: body as PostedTransfer })
    return runCommand(port, request, reply, { type: 'Transfer', data: request.body, keyTtlMs: days(7), answer })
  })
}

function readRoute(app: HttpServer, { reads, caughtUp }: Reads): void {
  const schema = {
    tags,
    summary: 'One wallet',
    params: OneAccount,
    headers: tokenHeader,
    sends: ['ETag'] as const,
    ...answers({ 200: Account, 304: NotModified }, paymentProblems, ['not-found']),
  }
  app.get('/v1/accounts/:id', { config: { access: 'any' }, schema }, async (request, reply) => {
    const { id } = request.params
    await caughtUp?.(request)
    const row = maySee(principalOf(request), id) ? await findAccount(reads, id) : undefined
    if (!row) throw problem('not-found', `There is no account ${id} that you may see`)
    if (notModified(request, reply, row.version)) return reply.send(undefined as never)
    return showAccount(row)
  })
}
