/** What came in, to be read. */
import { count } from '../fields.ts'
import type { Routes } from '../http.ts'
import type { Inbox, MailRow } from './inbox.ts'

export function mailRoutes(inbox: Inbox): Routes {
  return {
    'GET /mails': ({ query }) => {
      const offset = count(query, 'offset', 0)
      const limit = count(query, 'limit', inbox.size)
      const to = query.get('to')
      const rows = to === null ? inbox.page(offset, limit) : inbox.toRecipient(to).slice(offset, offset + limit)
      return { status: 200, body: { items: rows.map(view) } }
    },
  }
}

function view({ key, from, to, subject, text, receivedAt, received }: MailRow): object {
  return {
    messageId: key,
    from,
    to: to.join(', '),
    subject,
    text,
    receivedAt: new Date(receivedAt).toISOString(),
    received,
  }
}
