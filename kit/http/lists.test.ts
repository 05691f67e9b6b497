/** Pages and versions: what a single resource and a list have in common. */

import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCursor } from '../core/codec.ts'
import { allows, notAllowed } from '../core/precondition.ts'
import { expectedVersions, notModified } from './etag.ts'
import { DEFAULT_LIMIT, cursorOf, pageFrom, pageOf, pageQuery, textKey } from './pagination.ts'
import { answers } from './openapi.ts'
import { problem } from './problem.ts'
import { testServer } from './testing.ts'
import type { TestServer } from './testing.ts'

const isNumber = (value: unknown): value is number => Number.isInteger(value)

const all = Array.from({ length: 7 }, (_, i) => ({ n: i + 1 }))
let server: TestServer

beforeAll(async () => {
  server = await testServer()
  const status = Type.Union([Type.Literal('placed'), Type.Literal('completed')])
  server.app.get(
    '/v1/numbers',
    {
      config: { access: 'open' },
      schema: {
        querystring: pageQuery({ status: Type.Optional(status) }),
        ...answers({ 200: pageOf(Type.Object({ n: Type.Integer() })) }),
      },
    },
    async ({ query }) => {
      const { limit = DEFAULT_LIMIT } = query
      const after = cursorOf(query, isNumber) ?? 0
      return pageFrom(all.filter(({ n }) => n > after).slice(0, limit + 1), limit, ({ n }) => n)
    },
  )
  server.app.get('/v1/things/:id', { config: { access: 'open' } }, async (request, reply) => {
    if (notModified(request, reply, 3)) return
    return { version: 3 }
  })
  server.app.put('/v1/things/:id', { config: { access: 'open' } }, async (request) => {
    const expected = expectedVersions(request)
    if (!allows(expected, 3)) throw problem('precondition-failed', notAllowed('thing', 3))
    return { expected: expected ?? 'whatever' }
  })
})
afterAll(() => server.close())

const list = async (query: string) =>
  (await server.app.inject(`/v1/numbers?${query}`)).json() as { items: { n: number }[]; nextCursor: string | null }

describe('lists', () => {
  test('every item is given once, and the last page says so', async () => {
    const seen: number[] = []
    let cursor: string | null = ''
    for (let pages = 0; pages < 10 && cursor !== null; pages++) {
      const page = await list(`limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)
      seen.push(...page.items.map(({ n }) => n))
      cursor = page.nextCursor
    }
    expect([seen, cursor]).toEqual([[1, 2, 3, 4, 5, 6, 7], null])
  })

  test('a page that ends exactly at the last item is the last', async () => {
    expect((await list('limit=7')).nextCursor).toBeNull()
    expect((await list('limit=6')).nextCursor).not.toBeNull()
  })

  test('without a limit there is a sensible one', async () => {
    expect((await list('')).items).toHaveLength(7)
  })

  test.each([
    'cursor=',
    'cursor=%20',
    'cursor=!!!',
    'cursor=abc',
    `cursor=${encodeCursor('text')}`,
    `cursor=${encodeCursor({ n: 1 })}`,
    `cursor=${encodeCursor('\u0000')}`,
    `cursor=${'a'.repeat(1025)}`,
    'cursor=a&cursor=b',
    'limit=0',
    'limit=101',
    'limit=-1',
    'status=lost',
    'sort=price',
  ])('?%.40s is 400', async (query) => {
    const answer = await server.app.inject(`/v1/numbers?${query}`)
    expect([answer.statusCode, answer.json()]).toEqual([400, expect.objectContaining({ code: 'malformed' })])
  })

  test('a cursor that was made for a text is checked for text that cannot be stored', () => {
    expect(cursorOf({ cursor: encodeCursor('é😀') }, textKey(/./))).toBe('é😀')
    for (const text of ['a\u0000', '\ud800']) {
      const json = Buffer.from(JSON.stringify(text)).toString('base64url')
      expect(() => cursorOf({ cursor: json }, textKey(/./))).toThrow(/not one of this list/)
    }
  })
})

describe('versions', () => {
  const get = (ifNoneMatch?: string, method: 'GET' | 'HEAD' = 'GET') =>
    server.app.inject({
      method,
      url: '/v1/things/1',
      headers: ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch },
    })
  const put = (ifMatch?: string) =>
    server.app.inject({
      method: 'PUT',
      url: '/v1/things/1',
      headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
    })

  test('a single resource has its version as ETag', async () => {
    const answer = await get()
    expect([answer.statusCode, answer.headers['etag'], answer.headers['cache-control']]).toEqual([
      200,
      '"3"',
      'private, no-cache',
    ])
  })

  test.each(['"3"', '"1", "3"', 'W/"3"', '*'])('If-None-Match: %s is 304 without a body', async (tag) => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await get(tag, method)
      expect([answer.statusCode, answer.body, answer.headers['etag']]).toEqual([304, '', '"3"'])
    }
  })

  test.each(['"2"', '3', 'nonsense', ''])('If-None-Match: %j is answered', async (tag) =>
    expect((await get(tag)).statusCode).toBe(200),
  )

  test('If-Match lets through what it names', async () => {
    expect((await put()).json()).toEqual({ expected: 'whatever' })
    expect((await put('*')).json()).toEqual({ expected: 'any' })
    expect((await put('"2", "3"')).json()).toEqual({ expected: [2, 3] })
  })

  test.each(['"2"', 'W/"3"', '3', 'nonsense', '""'])('If-Match: %s is 412', async (tag) => {
    const answer = await put(tag)
    expect([answer.statusCode, answer.json()]).toEqual([412, expect.objectContaining({ code: 'precondition-failed' })])
  })
})
