import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { ProviderUnavailable, providerPolicy, type ProviderPolicy } from '../policy/call.ts'
import { provider, type Again, type ProviderAnswer } from './provider.ts'
import { providerThat, saying } from './testing.ts'

const guard = (more: Partial<Parameters<typeof providerPolicy>[0]> = {}): ProviderPolicy =>
  providerPolicy({ name: 'stamps', timeoutMs: 5_000, concurrency: 100, ...more })

const half = { next: () => 0.5 }

interface Stamped {
  readonly kind: 'stamped' | 'refused'
  readonly text: string
}

function meaningOf({ status, code, message, reason, refusal, body }: ProviderAnswer): Stamped | undefined {
  if (status === 201) return { kind: 'stamped', text: String(body['stamp']) }
  return refusal && code !== 'taken' ? { kind: 'refused', text: `${message} (${reason})` } : undefined
}

function stamp(
  url: string,
  { policy = guard(), signal = new AbortController().signal } = {},
): Promise<Stamped | Again> {
  const stamps = provider({ name: 'The office', url, connections: 100, policy, random: half })
  return stamps.ask(
    (client, inner) => client.post('/stamps', '{"a":1}', { 'x-request-id': 'r' }, inner),
    meaningOf,
    signal,
  )
}

const answering = async (status: number, body: unknown, headers?: Record<string, string>) =>
  stamp((await providerThat(saying(status, body, headers))).url)

describe('what is sent', () => {
  test('the caller’s bytes and headers, below the URL', async () => {
    const { url, seen } = await providerThat(saying(201, { stamp: 'S1' }))
    expect(await stamp(`${url}/api/`)).toEqual({ kind: 'stamped', text: 'S1' })
    const { method, url: path, headers, body } = seen[0]!
    expect([method, path, body]).toEqual(['POST', '/api/stamps', '{"a":1}'])
    expect(headers).toMatchObject({ 'x-request-id': 'r', 'content-type': 'application/json', 'content-length': '7' })
  })

  test('a GET has no body', async () => {
    const { url, seen } = await providerThat(saying(201, { stamp: 'S1' }))
    const stamps = provider({ name: 'The office', url, connections: 1, policy: guard() })
    const { signal } = new AbortController()
    await stamps.ask((client, inner) => client.get('/stamps?of=1', {}, inner), meaningOf, signal)
    expect(seen).toMatchObject([{ method: 'GET', url: '/stamps?of=1', body: '' }])
    expect(seen[0]!.headers).not.toHaveProperty('content-type')
  })

  test('over one connection, time and again', async () => {
    const { url, seen, connections } = await providerThat(saying(201, {}))
    const stamps = provider({ name: 'The office', url, connections: 10, policy: guard() })
    const { signal } = new AbortController()
    for (let i = 0; i < 20; i++) await stamps.ask((client, inner) => client.get('/', {}, inner), meaningOf, signal)
    expect([seen.length, connections()]).toEqual([20, 1])
  })
})

describe('what the answers mean', () => {
  const again = (reason: string, afterMs?: number) => ({
    kind: 'again',
    reason,
    ...(afterMs === undefined ? {} : { afterMs }),
  })
  const refused = (text: string) => ({ kind: 'refused', text })
  const soon = { 'retry-after': '2' }

  test.each<[number, unknown, Record<string, string>, object]>([
    [201, { stamp: 'S1' }, {}, { kind: 'stamped', text: 'S1' }],
    [409, { code: 'gone', message: 'Sold' }, {}, refused('Sold (The office answered 409 gone: Sold)')],
    [413, { code: 'too-large' }, {}, refused('The office answered 413 too-large (The office answered 413 too-large)')],
    [413, 'too large', {}, again('The office answered 413')],
    [409, { code: 'taken' }, {}, again('The office answered 409 taken')],
    [404, { code: 'not-found' }, {}, again('The office answered 404 not-found')],
    [401, { message: 'Who are you?' }, {}, again('The office answered 401')],
    [404, '<html>', {}, again('The office answered 404')],
    [429, null, soon, again('The office answered 429', 2_500)],
    [301, { code: 'moved' }, { location: '/' }, again('The office answered 301 moved')],
    [503, { code: 'busy' }, {}, again('The office answered 503 busy')],
    [503, { code: 'busy' }, soon, again('The office answered 503 busy', 2_500)],
    [503, '', { 'retry-after': 'soon' }, again('The office answered 503')],
    [503, '', { 'retry-after': '0' }, again('The office answered 503', 313)],
    [503, '', { 'retry-after': '999999' }, again('The office answered 503', 1_125_000)],
    [500, '<html>', {}, again('The office answered 500')],
  ])('%i %j %j', async (status, body, headers, expected) => {
    expect(await answering(status, body, headers)).toEqual(expected)
  })

  test('a date to come back is counted from the answer’s own date', async () => {
    const headers = { date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2015 07:28:04 GMT' }
    expect(await answering(503, '', headers)).toMatchObject({ kind: 'again', afterMs: 5_000 })
    expect(await answering(503, '', { ...headers, 'retry-after': 'Tue, 20 Oct 2015 07:28:00 GMT' })).toMatchObject({
      afterMs: 313,
    })
  })

  test('H4: its texts are cut and cleaned', async () => {
    const message = `No\u0000 \ud800way${'.'.repeat(1_000)}`
    const answer = await answering(422, { code: 'no\u0000', message })
    expect(answer).toEqual(refused(expect.stringMatching(/^No {3}way\.{292} \(The office answered 422 no: No/)))
  })
})

describe('no answer', () => {
  const unknown = (reason: RegExp | string) => ({ kind: 'again', reason: expect.stringMatching(reason) })

  test('nobody listens', async () => {
    const { url, close } = await providerThat(saying(201, {}))
    await close()
    expect(await stamp(url)).toEqual(unknown(/^No answer from 127.0.0.1:\d+: ECONNREFUSED$/))
  })

  test('the connection is cut before the answer, and in the middle of it', async () => {
    const cut = await providerThat((response) => void response.destroy())
    expect(await stamp(cut.url)).toEqual(unknown('ECONNRESET'))
    const halfway = await providerThat((response) => {
      response.writeHead(201, { 'content-length': '100' }).write('{"stamp":', () => response.destroy())
    })
    expect(await stamp(halfway.url)).toEqual(unknown('ECONNRESET'))
  })

  test('the answer never ends', async () => {
    const { url } = await providerThat((response) => {
      const more = () => void (response.destroyed || response.write('x'.repeat(10_000), more))
      response.writeHead(201)
      more()
    })
    expect(await stamp(url)).toEqual(unknown('longer than 65536 characters'))
  })

  test('it does not come in time', async () => {
    // Not by count: on a busy machine the time is over before the server has seen the first call.
    let answers = false
    const { url } = await providerThat((response) => {
      if (answers) response.writeHead(201).end('{"stamp":"S1"}')
    })
    expect(await stamp(url, { policy: guard({ timeoutMs: 50 }) })).toEqual(unknown('did not answer within 50 ms'))
    answers = true
    expect(await stamp(url)).toEqual({ kind: 'stamped', text: 'S1' })
  })

  test('H1: the caller gave up meanwhile: unknown, and not held against the provider', async () => {
    const policy = guard()
    const stops: AbortController[] = []
    const { url } = await providerThat(() => stops.at(-1)!.abort())
    for (let i = 0; i < 25; i++) {
      const stop = new AbortController()
      stops.push(stop)
      expect(await stamp(url, { policy, signal: stop.signal })).toEqual(unknown('its outcome is unknown'))
    }
    expect(policy.state()).toBe('closed')
    expect(await stamp(url, { policy, signal: AbortSignal.abort() })).toEqual(unknown('given up'))
  })
})

describe('the guard', () => {
  test('H1: a provider that fails is left alone, and every call is told when to come back', async () => {
    const policy = guard()
    const { url, seen } = await providerThat(saying(500, ''))
    for (let i = 0; i < 20; i++) await stamp(url, { policy })
    expect(policy.state()).toBe('open')
    const answer = await stamp(url, { policy })
    expect(answer).toMatchObject({ kind: 'again', reason: expect.stringContaining('this call was not made') })
    expect((answer as { afterMs: number }).afterMs).toBeGreaterThan(5_000)
    expect(seen).toHaveLength(20)
  })

  test('H1: a provider that refuses is well', async () => {
    const policy = guard()
    const { url } = await providerThat((response, _, call) => {
      const status = [422, 409, 429, 401][call % 4]!
      response.writeHead(status).end(JSON.stringify({ code: 'no' }))
    })
    for (let i = 0; i < 40; i++) await stamp(url, { policy })
    expect(policy.state()).toBe('closed')
  })

  test('one call too many is told to come back', async () => {
    const policy = guard({ concurrency: 1 })
    const held: ServerResponse[] = []
    const { url } = await providerThat((response) => {
      held.push(response)
      void stamp(url, { policy }).then((second) => response.writeHead(201).end(JSON.stringify({ stamp: second.kind })))
    })
    expect(await stamp(url, { policy })).toEqual({ kind: 'stamped', text: 'again' })
    expect(held).toHaveLength(1)
  })

  const failing = (error: Error): ProviderPolicy => ({
    name: 'stamps',
    state: () => 'half-open',
    call: async () => {
      throw error
    },
  })

  test('H3: right after the open time a call that is not the probe does not come back at once', async () => {
    const policy = failing(new ProviderUnavailable('not made', 0))
    expect(await stamp('http://127.0.0.1:1', { policy })).toEqual({ kind: 'again', reason: 'not made', afterMs: 313 })
  })

  test('a bug is not an answer', async () => {
    await expect(stamp('http://127.0.0.1:1', { policy: failing(new TypeError('oops')) })).rejects.toThrow('oops')
  })
})
