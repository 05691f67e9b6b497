/** Loyalty over HTTP: look at the points, spend them. */
import { Type } from 'typebox'
import { days } from '@cauce/kit/core/clock'
import type { Pool } from '@cauce/kit/database/pool'
import { runCommand, type CommandPort } from '@cauce/kit/http/commands'
import { notModified } from '@cauce/kit/http/etag'
import { answers } from '@cauce/kit/http/openapi'
import { maySee, principalOf } from '@cauce/kit/http/principal'
import { problem, problemsOf } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { Member, MemberId, SpendPoints } from './contract.ts'
import type { SpendCommand } from './decide.ts'
import type { Member as MemberRow } from './tables.ts'
import { findMember, showMember } from './views.ts'

const loyaltyProblems = problemsOf({
  'not-found': { status: 404, title: 'Not found' },
  'too-few-points': { status: 409, title: 'There are not enough points' },
})

export interface LoyaltyRoutes extends Pick<CommandPort, 'queue' | 'ids' | 'tokens'> {
  readonly reads: Pool
}

const tags = ['loyalty']
const OneMember = Type.Object({ id: MemberId }, { additionalProperties: false })

export function loyaltyRoutes(app: HttpServer, routes: LoyaltyRoutes): void {
  spendRoute(app, { ...routes, problems: loyaltyProblems })
  readRoute(app, routes)
}

function spendRoute(app: HttpServer, port: CommandPort): void {
  const schema = {
    tags,
    summary: 'Spend points',
    params: OneMember,
    body: SpendPoints,
    ...answers({ 200: Member }, loyaltyProblems),
  }
  app.post('/v1/members/:id/spend', { config: { access: ['customer'], key: true }, schema }, (request, reply) => {
    const { id } = request.params
    if (principalOf(request).subject !== id) throw problem('not-found', `There is no member ${id} that is you`)
    const data: SpendCommand = { ...request.body, memberId: id }
    const answer = (row: unknown) => ({ status: 200, body: showMember(row as MemberRow) })
    return runCommand(port, request, reply, { type: 'SpendPoints', data, keyTtlMs: days(1), answer })
  })
}

function readRoute(app: HttpServer, { reads }: LoyaltyRoutes): void {
  const schema = {
    tags,
    summary: 'One member',
    params: OneMember,
    ...answers({ 200: Member }, loyaltyProblems, ['not-found']),
  }
  app.get('/v1/members/:id', { config: { access: 'any' }, schema }, async (request, reply) => {
    const { id } = request.params
    const row = maySee(principalOf(request), id) ? await findMember(reads, id) : undefined
    if (!row) throw problem('not-found', `There is no member ${id} that you may see`)
    if (notModified(request, reply, row.version)) return reply.send(undefined as never)
    return showMember(row)
  })
}
