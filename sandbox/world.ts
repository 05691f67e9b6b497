/**
 * What there is of the outside world, put together: a book, routes and perhaps a server of its own per provider.
 * A new provider is a folder with its book and routes, named here.
 */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import type { Random } from '@cauce/kit/core/prng'
import { Charges } from './card/charges.ts'
import { cardRoutes } from './card/routes.ts'
import { carrierRoutes } from './carrier/routes.ts'
import { Shipments } from './carrier/shipments.ts'
import { Faults } from './faults.ts'
import type { Routes } from './http.ts'
import { Inbox } from './mail/inbox.ts'
import { mailRoutes } from './mail/routes.ts'
import { postOffice, type PostOffice } from './mail/smtp.ts'
import type { Store } from './storage/store.ts'
import { Endpoint } from './webhooks/endpoint.ts'
import { webhookRoutes } from './webhooks/routes.ts'
import { Sender } from './webhooks/sender.ts'

export const booksOf = () => ({
  shipments: new Shipments(),
  charges: new Charges(),
  endpoint: new Endpoint(),
  inbox: new Inbox(),
})

type Books = ReturnType<typeof booksOf>

export interface WorldOptions {
  readonly books: Books
  readonly store: Store
  readonly timers: Timers
  readonly clock: Clock
  readonly random: Random
  readonly drainMs: number
  /** Where the inbox listens, once it does. */
  readonly smtpUrl: () => string
}

export interface OutsideWorld {
  readonly routes: Routes
  readonly mail: PostOffice
  readonly sender: Sender
}

export function outsideWorld(options: WorldOptions): OutsideWorld {
  const { books, store, timers, clock } = options
  const { shipments, charges, endpoint, inbox } = books
  const faults = new Faults(timers)
  const sender = new Sender({ ...options, charges, endpoint, faults })
  const moment = () => ({ now: clock.now(), announced: endpoint.address !== undefined })
  const routes: Routes = {
    'GET /livez': () => ({ status: 200, body: { status: 'ok', name: 'cauce-sandbox', pid: process.pid } }),
    'GET /doubles': () => ({ status: 200, body: { charges: charges.doubles(), shipments: shipments.doubles() } }),
    ...cardRoutes({ charges, store, faults, moment, onChange: (key) => sender.notify(key) }),
    ...webhookRoutes({ endpoint, charges, store, onChange: () => sender.restart() }),
    ...carrierRoutes(shipments, store, faults),
    ...mailRoutes(inbox),
    ...faults.routes,
  }
  return {
    routes: { ...routes, 'GET /': overview(books, options.smtpUrl, Object.keys(routes)) },
    mail: postOffice({ ...options, inbox, faults }),
    sender,
  }
}

function overview(
  { charges, shipments, inbox }: Books,
  smtpUrl: () => string,
  calls: readonly string[],
): Routes[string] {
  return () => ({
    status: 200,
    body: {
      name: 'cauce-sandbox',
      description:
        'The outside world to develop Cauce against: a card processor and a carrier that remember every key, and an inbox',
      pid: process.pid,
      smtp: smtpUrl(),
      charges: charges.size,
      shipments: shipments.size,
      mails: inbox.size,
      calls: ['GET /', ...calls].toSorted(),
    },
  })
}
