/** Open streams: what a reader gets, how many there may be, and how they end. */
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock, systemTimers } from '../core/clock.ts'
import { ManualTime } from '../core/manual-time.ts'
import { EVENT_STREAM, openStreams, streaming, type OpenStreams, type Stream } from './streams.ts'
import { testServer, type TestServer } from './testing.ts'

let time: ManualTime
let server: TestServer
let open: OpenStreams
let streams: Stream[]
let closed: number
let port: number
let alice: { authorization: string }

beforeEach(async () => {
  time = new ManualTime()
  streams = []
  closed = 0
  server = await testServer()
  open = await openStreams(server.app, time)
  const config = { access: 'any', produces: EVENT_STREAM } as const
  server.app.get('/stream', { ...streaming, config }, async (request, reply) => {
    streams.push(open.open(request, reply, () => closed++))
  })
  port = await server.listen()
  alice = await server.as('alice')
})
afterEach(() => server.close())

async function until(holds: () => boolean): Promise<void> {
  const end = systemClock.monotonic() + 10_000
  while (!holds() && systemClock.monotonic() < end) await systemTimers.sleep(5)
  expect(holds()).toBe(true)
}

interface Reader {
  readonly response: Response
  readonly text: () => string
  readonly ended: Promise<void>
  leave(): void
}

async function read(as = alice): Promise<Reader> {
  const leaving = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}/stream`, { headers: as, signal: leaving.signal })
  let text = ''
  const ended = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body!) text += decoder.decode(chunk as Uint8Array, { stream: true })
  })().catch(() => undefined)
  return { response, text: () => text, ended, leave: () => leaving.abort() }
}

/** A reader that opens the stream and takes nothing of it. */
async function readNothing(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice.authorization}\r\n\r\n`)
  await until(() => streams.length === 1)
  socket.pause()
  return socket
}

test('events have a name, an id and data on one line; the head comes at once', async () => {
  const reader = await read()
  expect(reader.response.headers.get('content-type')).toBe(EVENT_STREAM)
  expect(reader.response.headers.get('x-request-id')).not.toBeNull()
  streams[0]!.send({ event: 'thing', id: '7', data: { text: 'two\nlines' } })
  streams[0]!.end()
  await reader.ended
  expect(reader.text()).toBe(':\n\nid: 7\nevent: thing\ndata: {"text":"two\\nlines"}\n\n')
  await until(() => closed === 1)
  expect(open.size).toBe(0)
  streams[0]!.send({ event: 'thing', id: '8', data: {} })
})

test('a comment every 15 s', async () => {
  const reader = await read()
  await until(() => reader.text() === ':\n\n')
  await time.advance(31_000)
  await until(() => reader.text() === ':\n\n:\n\n:\n\n')
  streams[0]!.end()
  await reader.ended
  await until(() => closed === 1)
  expect(time.pending).toBe(0)
})

test('twenty for a principal, and one more when one is gone', async () => {
  const mine = await Promise.all(Array.from({ length: 20 }, () => read()))
  expect(mine.map(({ response }) => response.status)).toEqual(mine.map(() => 200))
  const refused = await read()
  expect([refused.response.status, refused.response.headers.get('retry-after')]).toEqual([429, '5'])
  await refused.ended
  expect(JSON.parse(refused.text())).toMatchObject({ code: 'rate-limited' })
  const others = await read(await server.as('bob'))
  expect(others.response.status).toBe(200)
  mine[0]!.leave()
  await until(() => open.size === 20)
  expect((await read()).response.status).toBe(200)
})

test('a reader that takes nothing is cut off', async () => {
  const socket = await readNothing()
  // More than the buffers of the system hold.
  const data = { filling: 'x'.repeat(1_000_000) }
  for (let i = 0; i < 50 && open.size > 0; i++) {
    streams[0]!.send({ event: 'thing', id: String(i), data })
    await systemTimers.sleep(1)
  }
  await until(() => closed === 1)
  socket.destroy()
})

test('and so is one that has not taken the last of it by the next comment', async () => {
  const socket = await readNothing()
  streams[0]!.send({ event: 'thing', id: '1', data: { filling: 'x'.repeat(30_000_000) } })
  await time.advance(1000)
  expect(closed).toBe(0)
  await time.advance(15_000)
  await until(() => closed === 1)
  socket.destroy()
})

test('whoever waits until it is taken sends as much as they like', async () => {
  const reader = await read()
  const [stream] = streams
  const data = { filling: 'x'.repeat(1_000_000) }
  for (let i = 0; i < 50; i++) {
    stream!.send({ event: 'thing', id: String(i), data })
    await stream!.taken()
  }
  stream!.end()
  await reader.ended
  expect(reader.text().match(/^id: \d+$/gm)).toEqual(Array.from({ length: 50 }, (_, id) => `id: ${id}`))
})

test('and waits no longer when the reader has gone', async () => {
  const socket = await readNothing()
  streams[0]!.send({ event: 'thing', id: '1', data: { filling: 'x'.repeat(30_000_000) } })
  const taken = streams[0]!.taken()
  socket.destroy()
  await taken
  await until(() => closed === 1)
})

test('they end when the server closes', async () => {
  const reader = await read()
  await Promise.all([server.close(), reader.ended])
  expect(closed).toBe(1)
})

test('who asks for something else, or without a token, gets a problem', async () => {
  const url = `http://127.0.0.1:${port}/stream`
  expect((await fetch(url, { headers: { ...alice, accept: 'application/json' } })).status).toBe(406)
  expect((await fetch(url)).status).toBe(401)
  expect((await fetch(url, { method: 'HEAD', headers: alice })).status).toBe(405)
})
