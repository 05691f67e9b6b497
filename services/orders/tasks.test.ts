import { describe, expect, test } from 'vitest'
import { SEND_CONFIRMATION, type Confirmation } from './confirmation.ts'
import { mailLimits, type MailAnswer } from './mailer.ts'
import { effects, mailOf } from './tasks.ts'

const confirmation: Confirmation = {
  orderId: 'ord_1',
  customer: 'alice',
  name: 'Alice',
  lines: [{ sku: 'LAMP', quantity: 2, unitPrice: { amount: 1999, currency: 'EUR' } }],
  total: { amount: 3998, currency: 'EUR' },
  tracking: 'CRR1',
}
const domain = 'shop.example'

test('a mail is derived from its task: sent again it is the same mail', () => {
  const mail = mailOf(confirmation, 'task1', domain)
  expect(mail).toEqual(mailOf(confirmation, 'task1', domain))
  expect(mail).toMatchObject({
    messageId: '<task1@shop.example>',
    to: { name: 'Alice', address: 'alice@shop.example' },
    subject: 'Your order ord_1',
  })
  expect(mail.text).toContain('tracking CRR1')
  expect(mail.text).toContain('2 × LAMP at €19.99')
  expect(mail.text).toContain('Total: €39.98')
})

test.each([
  ['ana@example.org', 'ana@example.org'],
  ['auth0|x y', 'auth0=7Cx=20y@shop.example'],
  ['a"@b', 'a=22=40b@shop.example'],
  ['ñ'.repeat(10), `${'=C3=B1'.repeat(10)}@shop.example`],
])('the subject %s gets mail at %s', (customer, address) => {
  expect(mailOf({ ...confirmation, customer }, 'k', domain).to.address).toBe(address)
})

test('two long subjects that begin alike have two addresses, and they fit', () => {
  const users = ['a', 'b'].map((user) => `https://identity.example.org/realms/customers/users/${user}`)
  const addresses = users.map((customer) => mailOf({ ...confirmation, customer }, 'k', domain).to.address)
  expect(new Set(addresses).size).toBe(2)
  for (const address of addresses) expect(address).toMatch(/^[\w=-]{31}\.[0-9a-f]{32}@shop\.example$/)
})

test('yen have no minor unit', () => {
  const total = { amount: 500, currency: 'JPY' } as const
  expect(mailOf({ ...confirmation, total }, 'k', domain).text).toContain('Total: ¥500')
})

describe('the effect', () => {
  const context = { key: 'k', attempt: 1, ageMs: 0, requestId: 'r', signal: new AbortController().signal }
  test.each<[MailAnswer, object]>([
    [{ kind: 'sent' }, { kind: 'done' }],
    [
      { kind: 'again', reason: 'closed' },
      { kind: 'retry', reason: 'closed' },
    ],
    [
      { kind: 'refused', reason: 'no such mailbox' },
      { kind: 'cancel', reason: 'no such mailbox' },
    ],
  ])('%j is %j', async (answer, outcome) => {
    const [effect] = effects({ send: async () => answer }, { domain })
    expect(effect!.type).toBe(SEND_CONFIRMATION)
    expect(await effect!.run(confirmation, context)).toMatchObject(outcome)
  })

  test('is not given up while its mail waits behind others for a post office that says nothing', () => {
    const [effect] = effects({ send: async () => ({ kind: 'sent' }) }, { domain })
    const { connections, silenceMs } = mailLimits
    expect(effect!.timeoutMs).toBeGreaterThan((effect!.concurrency / connections) * silenceMs)
  })
})
