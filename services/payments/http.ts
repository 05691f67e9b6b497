/** Payments over HTTP: open a wallet, put money in it, read it, read payments. */
import { Type } from 'typebox'
import { days } from '@cauce/kit/core/clock'
import type { Pool } from '@cauce/kit/database/pool'
import { runCommand, type CommandPort } from '@cauce/kit/http/commands'
import { notModified } from '@cauce/kit/http/etag'
import { answers } from '@cauce/kit/http/openapi'
import { maySee, principalOf } from '@cauce/kit/http/principal'
import { problem, problemsOf } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { Account, AccountId, Deposit, OpenAccount, Payment, PaymentId, PostedDeposit } from './contract.ts'
import type { DepositCommand, OpenAccountCommand } from './decide.ts'
import type { Account as AccountRow } from './tables.ts'
import { findAccount, findPayment, showAccount, showPayment } from './views.ts'

const paymentProblems = problemsOf({
  'not-found': { status: 404, title: 'Not found' },
  'account-exists': { status: 409, title: 'The account exists already' },
  'currency-mismatch': { status: 422, title: 'The currencies differ' },
  'balance-too-large': { status: 422, title: 'The balance is too large' },
})

export interface PaymentRoutes extends Pick<CommandPort, 'queue' | 'ids'> {
  readonly reads: Pool
}

const tags = ['payments']
const OneAccount = Type.Object({ id: AccountId }, { additionalProperties: false })
const OnePayment = Type.Object({ id: PaymentId }, { additionalProperties: false })

export function paymentRoutes(app: HttpServer, routes: PaymentRoutes): void {
  const port: CommandPort = { ...routes, problems: paymentProblems }
  openRoute(app, port)
  depositRoute(app, port)
  readRoutes(app, routes.reads)
}

function openRoute(app: HttpServer, port: CommandPort): void {
  const schema = {
    tags,
    summary: 'Open a wallet',
    description:
      'A customer has one, and its id is the token’s subject. An operator may open one for somebody else, by `id`.',
    body: OpenAccount,
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

function readRoutes(app: HttpServer, reads: Pool): void {
  const oneAccount = {
    tags,
    summary: 'One wallet',
    params: OneAccount,
    ...answers({ 200: Account }, paymentProblems, ['not-found']),
  }
  app.get('/v1/accounts/:id', { config: { access: 'any' }, schema: oneAccount }, async (request, reply) => {
    const { id } = request.params
    const row = maySee(principalOf(request), id) ? await findAccount(reads, id) : undefined
    if (!row) throw problem('not-found', `There is no account ${id} that you may see`)
    if (notModified(request, reply, row.version)) return reply.send(undefined as never)
    return showAccount(row)
  })

  const onePayment = {
    tags,
    summary: 'One payment',
    params: OnePayment,
    ...answers({ 200: Payment }, paymentProblems, ['not-found']),
  }
  app.get('/v1/payments/:id', { config: { access: 'any' }, schema: onePayment }, async (request, reply) => {
    const { id } = request.params
    const row = await findPayment(reads, id)
    if (!row || !maySee(principalOf(request), row.customer))
      throw problem('not-found', `There is no payment ${id} that you may see`)
    if (notModified(request, reply, row.version)) return reply.send(undefined as never)
    return showPayment(row)
  })
}
