import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { request, sandboxHere, temporaryDirectory } from '../testing.ts'

const mail = (id: string, text = 'Hello') =>
  [`Message-ID: <${id}@cauce.test>`, 'From: Cauce <shop@cauce.test>', `Subject: Order ${id}`, '', text].join('\r\n')

/** A conversation by hand: what is said, and the status of each answer. Ends with `cut` when the connection did. */
async function converse(smtp: string, lines: readonly string[]): Promise<string[]> {
  const { hostname, port } = new URL(smtp)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  socket.setEncoding('utf8')
  const statuses: string[] = []
  let text = ''
  const ended = once(socket, 'close').then(() => 'cut')
  const answer = async () => {
    for (;;) {
      const whole = /^(?:\d{3}-.*\r\n)*(\d{3}) .*\r\n/.exec(text)
      if (whole) {
        text = text.slice(whole[0].length)
        return whole[1]!
      }
      const more = await Promise.race([once(socket, 'data').then(String), ended])
      if (more === 'cut') return more
      text += more
    }
  }
  statuses.push(await answer())
  for (const line of lines) {
    socket.write(`${line}\r\n`)
    statuses.push(await answer())
  }
  return statuses
}

const sending = (content: string, to = ['ana@x.test']): string[] => [
  'EHLO test',
  'MAIL FROM:<shop@cauce.test>',
  ...to.map((each) => `RCPT TO:<${each}>`),
  'DATA',
  `${content}\r\n.`,
]

const send = async (smtp: string, content: string, to?: string[]) => (await converse(smtp, sending(content, to))).at(-1)

const mails = async (url: string, query = '') => (await request(url, 'GET', `/mails${query}`)).body.items

test('a mail is there once it was answered for, once by its Message-ID', async () => {
  const { url, smtp } = await sandboxHere()
  expect(await send(smtp, mail('m1'), ['ana@x.test', 'bob@x.test'])).toBe('250')
  expect(await send(smtp, mail('m1'))).toBe('250')
  expect(await send(smtp, mail('m2', '..dot\r\nend'), ['bob@x.test'])).toBe('250')
  expect(await mails(url)).toEqual([
    {
      messageId: '<m1@cauce.test>',
      from: 'shop@cauce.test',
      to: 'ana@x.test, bob@x.test',
      subject: 'Order m1',
      text: 'Hello',
      receivedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      received: 2,
    },
    expect.objectContaining({ messageId: '<m2@cauce.test>', text: '.dot\nend', received: 1 }),
  ])
  expect(await mails(url, '?limit=1&offset=1')).toMatchObject([{ subject: 'Order m2' }])
  expect(await mails(url, '?to=bob@x.test')).toMatchObject([{ subject: 'Order m2' }])
  expect((await request(url, 'GET', '/')).body).toMatchObject({ smtp, mails: 2 })
})

test('the same mail at the same time is still one', async () => {
  const { url, smtp } = await sandboxHere()
  const statuses = await Promise.all(Array.from({ length: 10 }, () => send(smtp, mail('m1'))))
  expect(new Set(statuses)).toEqual(new Set(['250']))
  expect(await mails(url)).toMatchObject([{ received: 10 }])
})

test('one without a Message-ID is told apart by what it says', async () => {
  const { url, smtp } = await sandboxHere()
  for (const text of ['one', 'one', 'two']) await send(smtp, `Subject: x\r\n\r\n${text}`)
  expect((await mails(url)).map(({ text, received }: any) => [text, received])).toEqual([
    ['one', 2],
    ['two', 1],
  ])
})

test('faults under the name mail: 451 and nothing stored, or stored and cut', async () => {
  const { url, smtp } = await sandboxHere()
  await request(url, 'PUT', '/faults', { mail: { errorRate: 1 } })
  expect(await send(smtp, mail('m1'))).toBe('451')
  expect(await mails(url)).toEqual([])
  await request(url, 'PUT', '/faults', { mail: { lostAnswerRate: 1, latencyMs: 5 } })
  expect(await send(smtp, mail('m1'))).toBe('cut')
  expect(await mails(url)).toMatchObject([{ received: 1 }])
  const { fired } = (await request(url, 'DELETE', '/faults')).body.mail
  expect(fired).toEqual({ delays: 1, errors: 0, lostAnswers: 1 })
  expect(await send(smtp, mail('m1'))).toBe('250')
  expect(await mails(url)).toMatchObject([{ received: 2 }])
})

test('a mail that is too large is refused for good; passwords and TLS there are none', async () => {
  const { url, smtp } = await sandboxHere()
  expect(await send(smtp, mail('m1', `${'x'.repeat(998)}\r\n`.repeat(300)))).toBe('552')
  expect(await mails(url)).toEqual([])
  expect(await converse(smtp, ['EHLO test', 'AUTH PLAIN AGEAYg==', 'STARTTLS'])).toEqual(['220', '250', '500', '500'])
})

test(
  'a restart has the mails and the port, and does not wait for a sender that is idle',
  { timeout: 4_000 },
  async () => {
    const directory = temporaryDirectory()
    const first = await sandboxHere(directory)
    const idle = converse(first.smtp, [...sending(mail('m1')), 'NOOP'])
    expect((await idle).slice(-2)).toEqual(['250', '250'])
    await first.close()
    const second = await sandboxHere(directory)
    expect([second.url, second.smtp]).toEqual([first.url, first.smtp])
    expect(await send(second.smtp, mail('m1'))).toBe('250')
    expect(await mails(second.url)).toMatchObject([{ messageId: '<m1@cauce.test>', received: 2 }])
  },
)
