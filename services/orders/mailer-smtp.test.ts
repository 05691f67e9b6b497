/** What each answer of an SMTP server means, from a server that says what a script tells it. */
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { smtpMailer } from './mailer-smtp.ts'

/** Answers by the first word of a command; `greeting` comes first, `.` is the end of the mail. */
type Script = Readonly<Record<string, string>>
const usual: Script = {
  greeting: '220 hello',
  DATA: '354 go on',
  AUTH: '235 come in',
  EHLO: '250-hello\r\n250 AUTH PLAIN',
}

let servers: Server[] = []
let heard: string[]
afterEach(() => {
  for (const server of servers) server.close()
  servers = []
})

function listen(script: Script): Promise<number> {
  heard = []
  const answers = { ...usual, ...script }
  const server = createServer((socket) => {
    let inMail = false
    const say = (word: string) => socket.write(`${answers[word] ?? '250 ok'}\r\n`)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().split('\r\n').filter(Boolean)) {
        if (inMail && line !== '.') continue
        heard.push(line)
        const word = line.split(/[ :]/)[0] ?? ''
        inMail = word === 'DATA' && answers['DATA'] === usual['DATA']
        say(word)
      }
    })
    say('greeting')
  })
  servers.push(server)
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

async function send(script: Script, login = '') {
  const port = await listen(script)
  const mailer = smtpMailer({ url: async () => `smtp://${login}127.0.0.1:${port}`, from: 'shop@shop.example' })
  const to = { name: 'Alice', address: 'alice@shop.example' }
  const mail = { messageId: '<task1@shop.example>', to, subject: 'Your order', text: 'It is on its way.' }
  const answer = await mailer.send(mail, new AbortController().signal)
  mailer.close()
  return answer
}

test.each<[kind: string, Script]>([
  ['sent', {}],
  ['refused', { RCPT: '550 no such user' }],
  ['refused', { '.': '552 too large' }],
  ['again', { RCPT: '450 busy' }],
  ['again', { '.': '451 later' }],
  ['again', { greeting: '554 no service here' }],
  ['again', { MAIL: '530 authentication required' }],
])('%s: %j', async (kind, script) => {
  expect((await send(script)).kind).toBe(kind)
})

test('it logs in when the address says as whom; a wrong password is not the end of the mail', async () => {
  expect((await send({}, 'shop%40home:a%3Ab@')).kind).toBe('sent')
  const plain = Buffer.from('\0shop@home\0a:b').toString('base64')
  expect(heard).toContain(`AUTH PLAIN ${plain}`)
  expect((await send({ AUTH: '535 who?' }, 'shop:wrong@')).kind).toBe('again')
})
