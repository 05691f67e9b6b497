import { describe, expect, test } from 'vitest'
import { about, createLogger, maskSecrets, parseLevel } from './logger.ts'

function capture(options: Parameters<typeof createLogger>[0] = {}) {
  const lines: string[] = []
  const logger = createLogger({ ...options, stream: { write: (line) => lines.push(line) } })
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown> }
}

describe('lines', () => {
  test('are JSON with an ISO time and a level by name', () => {
    const { logger, last } = capture({ base: { program: 'cauce' } })
    logger.info({ orderId: 'ord_1' }, 'placed')
    expect(last()).toMatchObject({ level: 'info', program: 'cauce', orderId: 'ord_1', msg: 'placed' })
    expect(last().time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  })

  test('below the level are not written', () => {
    const { logger, lines } = capture({ level: 'warn' })
    logger.info('quiet')
    expect(lines).toEqual([])
  })

  test('of a child say what they are about', () => {
    const { logger, last } = capture()
    about(logger, { requestId: 'r1', traceId: 't1' }).warn('hm')
    expect(last()).toMatchObject({ requestId: 'r1', traceId: 't1' })
  })
})

describe('secrets', () => {
  test('are censored by name, wherever they are', () => {
    const { logger, lines } = capture()
    logger.info({
      headers: { authorization: 'Bearer x.y.z' },
      body: { payment: { token: 'visa-123' } },
      password: 'hunter2',
    })
    logger.child({ databaseUrl: 'postgres://u:p4ss@h/d' }).info('started')
    for (const secret of ['x.y.z', 'visa-123', 'hunter2', 'p4ss']) expect(lines.join('')).not.toContain(secret)
  })

  test('are masked inside texts, an error message and its stack included', () => {
    const { logger, lines, last } = capture()
    const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl'
    logger.error({ err: new Error(`connect postgres://cauce:p4ss@db:5432/cauce as ${jwt} paying with tok_4242`) })
    for (const secret of ['p4ss', jwt, 'tok_4242']) expect(lines.join('')).not.toContain(secret)
    expect(last().err).toMatchObject({ type: 'Error' })
  })

  test('masking leaves a line that is not secret, and its JSON, alone', () => {
    const line = JSON.stringify({ url: 'http://127.0.0.1:8080/v1/orders', mail: 'alice@example.org', note: 'a:b@c' })
    expect(maskSecrets(line)).toBe(line)
    expect(maskSecrets('postgres://u:p@h/d?x=1')).toBe('postgres://u:[redacted]@h/d?x=1')
  })
})

test('a level that is none is an error that lists them', () => {
  expect(parseLevel('DEBUG')).toBe('debug')
  expect(() => parseLevel('verbose')).toThrow(/trace, debug, info/)
})
