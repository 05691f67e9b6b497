import { writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { announce } from '../server-process/announcement.ts'
import { json, problem, refuseConnection, testWorld, typed, type Handler } from '../testing.ts'

const date = (ms = 0) => ({ date: new Date(Date.now() + ms).toUTCString() })
const healthy: Handler = ({ pathname }) => {
  if (pathname === '/livez') return json(200, { status: 'alive', version: '1.2.3' }, date())
  return json(200, { status: 'ready' })
}

/** The findings of a doctor on an announced server, by name. */
async function diagnose(handler: Handler, durable = true) {
  const world = testWorld(handler)
  const data = join(world.directory, '.cauce')
  mkdirSync(data)
  announce(data, {
    url: 'http://127.0.0.1:8080',
    pid: 1,
    database: 'embedded',
    durable,
    sandboxUrl: 'http://sandbox',
    services: [],
  })
  const { code, out } = await typed('doctor --json', world)
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: { name: string; status: string; detail: string }[] }
  return { code, ok, status: (name: string) => checks.find((check) => check.name === name)?.status, checks }
}

test('a healthy server: everything is looked at, nothing fails', async () => {
  const { code, ok, checks, status } = await diagnose(healthy)
  expect({ code, ok }).toEqual({ code: 0, ok: true })
  const names = ['node', 'data', 'key', 'disk', 'port', 'server', 'database', 'durability', 'sandbox', 'clock']
  expect(checks.map(({ name }) => name)).toEqual(names)
  expect(['server', 'database', 'durability', 'sandbox', 'clock', 'port'].map(status)).toEqual(
    Array.from({ length: 6 }, () => 'ok'),
  )
})

test.each<[string, Handler, boolean, string]>([
  ['a server that is away', refuseConnection, true, 'server'],
  ['something else on its port', () => json(200, { hello: 'world' }), true, 'server'],
  [
    'a database that is away',
    (url, init) => (url.pathname === '/readyz' ? problem(503, 'not-ready') : healthy(url, init)),
    true,
    'database',
  ],
  ['a database that may lose commits', healthy, false, 'durability'],
  [
    'a sandbox that is away',
    (url, init) => (url.host === 'sandbox' ? refuseConnection(url, init) : healthy(url, init)),
    true,
    'sandbox',
  ],
  ['a clock an hour off', () => json(200, { status: 'alive', version: '1' }, date(3_600_000)), true, 'clock'],
])('%s fails, with exit 1', async (_what, handler, durable, name) => {
  const { code, ok, status } = await diagnose(handler, durable)
  expect({ code, ok, status: status(name) }).toEqual({ code: 1, ok: false, status: 'fail' })
})

test('what is announced about another server does not count', async () => {
  const world = testWorld(healthy)
  mkdirSync(join(world.directory, '.cauce'))
  writeFileSync(join(world.directory, '.cauce', 'server.json'), '{"url":"http://other","pid":1,"durable":true}')
  const { out } = await typed('doctor', world)
  expect(out).toMatch(/warn +Durability +not known/)
  expect((await typed('doctor --lang es', testWorld(healthy))).out).toMatch(/ojo +Durabilidad/)
})
