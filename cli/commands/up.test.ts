import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemTimers } from '@cauce/kit/core/clock'
import { createShell } from '../shell.ts'
import { json, refuseConnection, temporaryDirectory, testWorld, type Handler } from '../testing.ts'
import { up, type UpOptions } from './up.ts'

const ready = `console.log(JSON.stringify({ url: 'http://127.0.0.1:1234', database: 'db', durable: true, sandboxUrl: null, services: [] }))`
const log = (level: string, msg: string) =>
  `console.error(JSON.stringify({ level: '${level}', time: '', msg: '${msg}' }))`
const stops = `process.on('disconnect', () => { ${log('info', 'Stopping')}; process.exit(0) })`
/** Keeps the process alive until it is told otherwise. */
const lives = `setInterval(() => {}, 1000)`

/** `cauce up` with a server that is a few lines of JavaScript. */
function start(program: string, options: UpOptions = { port: 0 }, handler: Handler = refuseConnection, flags = {}) {
  const world = testWorld(handler, { timers: systemTimers, env: { PATH: process.env.PATH } })
  const entry = join(temporaryDirectory(), 'server.mjs')
  writeFileSync(entry, program)
  const { signals, printed } = world
  return { printed, signals, ended: up(createShell(world, 'en', flags), options, entry) }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition() && tries < 1_000; tries++) await systemTimers.sleep(10)
}

test('says where it runs and what to try, and stops its server when asked', async () => {
  const { printed, signals, ended } = start(`${stops}; ${ready}; ${lives}`)
  await until(() => printed.out !== '')
  expect(printed.out).toContain('Cauce is running at http://127.0.0.1:1234\n')
  const commands = printed.out.split('\n').filter((line) => line.startsWith('  npx cauce'))
  expect(commands.map((line) => line.split(' ')[4])).toEqual(['demo', 'order', 'audit'])
  expect(commands.every((line) => line.includes('--url http://127.0.0.1:1234'))).toBe(true)
  signals.emit('SIGINT', 'SIGINT')
  signals.emit('SIGINT', 'SIGINT') // npm passes on what the terminal has sent already
  expect(await ended).toBe(0)
  expect(printed.err).toContain('Stopped.')
  expect(signals.listenerCount('SIGINT')).toBe(0)
})

test.each([
  [
    ['api', 'worker'],
    ['account', 'account', 'order'],
  ],
  [['worker'], []],
])('a project keeps its log apart, and says what can be tried on %j', async (services, tries) => {
  const said = ready.replace('services: []', `services: ${JSON.stringify(services)}`)
  const { printed, signals, ended } = start(`${stops}; ${said}; ${lives}`, { port: 0, project: 2 })
  await until(() => printed.out !== '')
  const commands = printed.out.split('\n').filter((line) => line.startsWith('  npx cauce'))
  expect(commands.map((line) => line.split(' ')[4])).toEqual(tries)
  signals.emit('SIGINT', 'SIGINT')
  expect(await ended).toBe(0)
  expect(printed.err).toContain(join('.cauce', 'project-2', 'server.log'))
})

test('with --json stdout is one document', async () => {
  const { printed, signals, ended } = start(`${stops}; ${ready}; ${lives}`, { port: 0 }, refuseConnection, {
    json: true,
  })
  await until(() => printed.out !== '')
  expect(JSON.parse(printed.out)).toMatchObject({ url: 'http://127.0.0.1:1234', durable: true })
  signals.emit('SIGTERM', 'SIGTERM')
  await ended
})

test('passes flags on as settings', async () => {
  const echo = `console.error([process.env.PORT, process.env.HOST, process.env.CAUCE_SERVICES, process.env.LOG_LEVEL].join(' ')); process.exit(2)`
  const { printed, ended } = start(echo, { port: 0, host: '::1', services: 'orders', logLevel: 'warn' })
  expect(await ended).toBe(2)
  expect(printed.err).toContain('0 ::1 orders warn')
})

test('a server that does not start: its code, and its last words once', async () => {
  const { printed, ended } = start(`console.error('PORT is "abc"'); process.exit(2)`)
  expect(await ended).toBe(2)
  expect(printed.out).toBe('')
  expect(printed.err).toContain('The server did not start (exit code 2).')
  expect(printed.err.split('PORT is "abc"')).toHaveLength(2)
})

test('a server that dies: said with the last lines of its log', async () => {
  const { printed, ended } = start(
    `${log('info', 'working')}; ${ready}; setImmediate(() => process.kill(process.pid, 'SIGKILL'))`,
  )
  expect(await ended).toBe(1)
  expect(printed.err).toContain('The server ended unexpectedly (signal SIGKILL).')
  expect(printed.err).toMatch(/server\.log ends with:\n.*info +working/)
})

test.each<[string, UpOptions, RegExp]>([
  ['warnings and errors', { port: 0 }, /warn +careful/],
  ['everything with --logs, raw for a program', { port: 0, logs: true }, /\{"level":"info".*"msg":"quiet"\}/],
])('shows %s', async (_what, options, expected) => {
  const { printed, ended } = start(`${log('info', 'quiet')}; ${log('warn', 'careful')}; ${ready}`, options)
  await ended
  expect(printed.err).toMatch(expected)
  if (options.logs === undefined) expect(printed.err).not.toContain('quiet')
})

test('does not start beside a server that serves, and waits for one that stops', async () => {
  const serving: Handler = ({ pathname }) => json(200, { status: pathname === '/livez' ? 'alive' : 'ready' })
  await expect(start(ready, { port: 8080 }, serving).ended).rejects.toThrow(
    'Cauce is running at http://127.0.0.1:8080 already',
  )
  let asked = 0
  const stopping: Handler = (url, request) => {
    if (url.pathname === '/livez') return ++asked > 2 ? refuseConnection(url, request) : json(200, { status: 'alive' })
    return json(503, { detail: 'This process is shutting down. Ask another one' })
  }
  const { printed, ended } = start(ready, { port: 8080 }, stopping)
  expect(await ended).toBe(0)
  expect(printed.err).toContain('Another server is stopping')
})
