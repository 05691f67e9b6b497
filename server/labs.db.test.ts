/** Labs over HTTP, on a real server: real runs, watched, cancelled, left alone; and nothing of them is left. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '@cauce/kit/database/testing'
import { loadDevKey, signToken } from '@cauce/kit/http/dev-key'
import type { Lab, LabEvent } from './labs-schemas.ts'
import {
  client,
  conforms,
  dataDirectory,
  eventually,
  serverProcess,
  type Client,
  type ServerProcess,
} from './testing.ts'

let database: TestDatabase
let data: ReturnType<typeof dataDirectory>
/** Where labs keep what is temporary: it shows what is left. */
let temporary: string
let server: ServerProcess
/** On the same data, and without labs. */
let production: ServerProcess
let operator: Client
let token: string

const secrets = { WEBHOOK_SECRETS: 'hush-webhooks', SMTP_URL: 'smtp://hush:hush@127.0.0.1:1', CAUCE_SECRET: 'hush' }
const start = (more: Readonly<Record<string, string>> = {}) =>
  serverProcess({ DATABASE_URL: database.url, CAUCE_DATA: data.path, TMPDIR: temporary, ...secrets, ...more })

beforeAll(async () => {
  database = await createTestDatabase('labs')
  data = dataDirectory()
  temporary = mkdtempSync(join(tmpdir(), 'cauce-labs-'))
  chmodSync(temporary, 0o755)
  ;[server, production] = await Promise.all([start(), start({ NODE_ENV: 'production' })])
  operator = await client(data.path, () => server.url, 'olga', 'operator')
  token = await signToken(await loadDevKey(data.path), { subject: 'olga', roles: ['operator'] })
})
afterAll(async () => {
  await Promise.all([server.stop(), production.stop()])
  await database.drop()
  data.remove()
  rmSync(temporary, { recursive: true })
})

/** A run takes two seconds, and on a busy machine many more. */
const slow = { timeout: 60_000 }
const none = `/v1/labs/runs/run_${'0'.repeat(32)}`
const RUNS = '/v1/labs/stock-counter/runs'
const small = { seed: 7, size: 'small', set: { buyers: 12, stock: 7 } }
/** Every variant at the largest size, one after the other: seconds, so long enough to be interrupted. */
const long = { set: { buyers: 1000, stock: 500 } }

interface Told {
  readonly id: number
  readonly event: string
  readonly data: LabEvent
}

/** The stream of a run, to its end or as far as `enough` says. */
async function read(run: string, lastId?: number, enough: (told: Told) => boolean = () => false): Promise<Told[]> {
  const leaving = new AbortController()
  const url = `/v1/labs/runs/${run}/stream`
  const response = await fetch(server.url + url, {
    headers: { authorization: `Bearer ${token}`, ...(lastId === undefined ? {} : { 'last-event-id': String(lastId) }) },
    signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(60_000)]),
  })
  const { status, headers } = response
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (eventsIn(text).some(enough)) break
  }
  leaving.abort()
  await conforms(server.url, { method: 'GET', url, status, headers, body: text })
  return eventsIn(text)
}

const eventsIn = (text: string): Told[] =>
  [...text.matchAll(/^id: (\d+)\nevent: (\S+)\ndata: (.*)\n\n/gm)].map(([, id, event = '', body = '']) => ({
    id: Number(id),
    event,
    data: JSON.parse(body) as LabEvent,
  }))

/** Neither a file nor, where that can be told, a process of a lab. */
const nothingLeft = () =>
  eventually(
    async () => [...readdirSync(temporary), ...processesIn(temporary)],
    (left) => left.length === 0,
  )

const pids = (): string[] =>
  process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : []

function procOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return '' // It has gone.
  }
}

const processesIn = (directory: string): string[] => pids().filter((pid) => procOf(pid, 'cmdline').includes(directory))

/** The program of the labs that a server has started. */
function programOf(server: number): string | undefined {
  const parentOf = (pid: string) => Number(procOf(pid, 'stat').split(') ').at(-1)?.split(' ')[1])
  return pids().find((pid) => parentOf(pid) === server && procOf(pid, 'cmdline').includes('labs-main'))
}

function environmentOf(pid = ''): { readonly text: string; readonly names: readonly string[] } {
  const text = procOf(pid, 'environ')
  return { text, names: text.split('\0').map((each) => each.split('=')[0] ?? '') }
}

test('the labs are listed, one page after the other, with their phases', async () => {
  const { body } = await operator.get('/v1/labs')
  const ids = body.items.map((lab: Lab) => lab.id)
  expect(ids).toEqual(expect.arrayContaining(['stock-counter', 'transfer']))
  expect(body.phases).toContainEqual({ number: 1, title: { en: expect.any(String), es: expect.any(String) } })
  const [first] = (await operator.get('/v1/labs?limit=1')).body.items
  expect(first.id).toBe(ids[0])
  const pages: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await operator.get(`/v1/labs?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`)
    pages.push(...page.body.items.map((lab: Lab) => lab.id))
    cursor = page.body.nextCursor
  }
  expect(pages).toEqual(ids)
  const { body: lab } = await operator.get('/v1/labs/stock-counter')
  expect(lab).toEqual(body.items.find(({ id }: Lab) => id === 'stock-counter'))
  expect(lab).toMatchObject({
    phase: 1,
    takesVariants: true,
    parameters: { buyers: { default: 100, min: 2, max: 1000 } },
    page: { en: 'docs/labs/stock-counter.md', es: 'docs/labs/stock-counter.es.md' },
  })
  expect(lab.variants[0]).toMatchObject({ name: 'read-then-write', expected: 'fails' })
})

test(
  'a run: its events from the first or from any later one, its result, and the same answer for the same key',
  slow,
  async () => {
    const asked = await operator.post(RUNS, small, 'one-run')
    expect(asked).toMatchObject({
      status: 202,
      body: { lab: 'stock-counter', status: 'running', seed: 7, size: 'small' },
    })
    const { id } = asked.body
    expect(asked.headers.get('location')).toBe(`/v1/labs/runs/${id}`)
    expect(asked.headers.get('idempotency-replayed')).toBeNull()

    // While it runs: a repeat is the same run, another one waits its turn.
    const [again, other, reused] = await Promise.all([
      operator.post(RUNS, small, 'one-run'),
      operator.post(RUNS, small, 'other-run'),
      operator.post(RUNS, { ...small, seed: 8 }, 'one-run'),
    ])
    expect(again).toMatchObject({ status: 202, body: asked.body })
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(other).toMatchObject({ status: 409, body: { code: 'lab-running', detail: expect.stringContaining(id) } })
    expect(reused).toMatchObject({ status: 422, body: { code: 'key-reused' } })

    const isMeasured = ({ event }: Told) => event === 'measured'
    const beginning = await read(id, undefined, isMeasured)
    const from = beginning.at(-1)!.id
    const rest = await read(id, from)
    const all = await read(id)
    expect([...beginning, ...rest].map((told) => told.id)).toEqual(all.map((_, index) => index))
    expect([...beginning, ...rest]).toEqual(all)
    for (const { event, data: told } of all) expect(told.type).toBe(event)
    expect(all[0]!.data).toMatchObject({ type: 'started', seed: 7, parameters: { buyers: 12, stock: 7 } })
    expect(all.filter(isMeasured).length).toBeGreaterThan(3)

    const { body: run } = await operator.get(`/v1/labs/runs/${id}`)
    const last = all.at(-1)!.data
    expect(last).toEqual({ type: 'result', result: run.result })
    expect(run).toMatchObject({
      status: 'passed',
      error: null,
      result: { id: 'stock-counter', verdict: 'pass', seed: 7 },
    })
    expect(run.result.variants[0]).toMatchObject({ name: 'read-then-write', observed: 'fails' })
    expect(run.result.variants[0].measured.lost).toBeGreaterThan(0)
    expect(Date.parse(run.finishedAt)).toBeGreaterThan(Date.parse(run.startedAt))

    expect(await read(id, all.length - 1)).toEqual([])
    expect(await read(id, 999_999)).toEqual([])
    expect(await operator.post(RUNS, small, 'one-run')).toMatchObject({ status: 202, body: asked.body })
    expect(await operator.post(`/v1/labs/runs/${id}/cancel`)).toMatchObject({ status: 200, body: run })
    await nothingLeft()
  },
)

test('a cancelled run takes all that it started with it', slow, async () => {
  const { body: run } = await operator.post(RUNS, long)
  const told = await read(run.id, undefined, ({ event }) => event === 'progress')
  expect(told[0]).toMatchObject({ id: 0, data: { type: 'started', variants: expect.arrayContaining(['row-lock']) } })
  const reading = read(run.id)
  const cancel = `/v1/labs/runs/${run.id}/cancel`
  expect(await operator.post(cancel)).toMatchObject({ status: 202, body: { status: 'running' } })
  expect((await operator.post(cancel)).status).toBe(202)
  expect((await reading).at(-1)!.data).toMatchObject({ type: 'failed', code: 'interrupted' })
  const { body } = await operator.get(`/v1/labs/runs/${run.id}`)
  expect(body).toMatchObject({ status: 'cancelled', result: null, error: expect.any(String) })
  expect(readdirSync(temporary)).toEqual([])
  await nothingLeft()
})

test.each<[body: object, detail: string | RegExp]>([
  [{ set: { buyers: 5000 } }, 'buyers is 5000; for stock-counter it must be a whole number from 2 to 1000'],
  [{ set: { buyers: 1 } }, 'buyers is 1; for stock-counter it must be a whole number from 2 to 1000'],
  [{ set: { colour: 1 } }, 'stock-counter has no parameter "colour". It has: buyers, stock'],
  [{ set: { constructor: 1 } }, 'stock-counter has no parameter "constructor". It has: buyers, stock'],
  [{ set: { buyers: 2.5 } }, '/set/buyers must be integer'],
  [{ variant: 'luck' }, /^stock-counter has no variant "luck"\. It has: read-then-write, mutex/],
  [{ seed: -1 }, '/seed must be >= 0'],
  [{ seed: 2 ** 31 }, '/seed must be <= 2147483647'],
  [{ size: 'huge' }, '/size must be "default" or "small"'],
])('%j is refused', async (body, detail) => {
  const answer = await operator.post(RUNS, body)
  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid' } })
  expect(answer.body.detail).toMatch(detail)
})

test('what there is not is 404', async () => {
  expect(await operator.post('/v1/labs/luck/runs', {})).toMatchObject({ status: 404, body: { code: 'not-found' } })
  for (const path of ['/v1/labs/luck', '/v1/labs/runs', none, `${none}/stream`])
    expect(await operator.get(path)).toMatchObject({ status: 404, body: { code: 'not-found' } })
  expect((await operator.post(`${none}/cancel`)).status).toBe(404)
})

test('neither a customer nor a stranger comes near', async () => {
  const customer = await client(data.path, () => server.url, 'alice', 'customer')
  for (const path of ['/v1/labs', '/v1/labs/stock-counter', none, `${none}/stream`]) {
    expect(await customer.get(path)).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    expect((await fetch(server.url + path)).status).toBe(401)
  }
  for (const path of [RUNS, `${none}/cancel`])
    expect(await customer.post(path, path === RUNS ? small : undefined)).toMatchObject({ status: 403 })
})

test('in production there are none', async () => {
  const there = await client(data.path, () => production.url, 'olga', 'operator')
  for (const path of ['/v1/labs', '/v1/labs/stock-counter', none])
    expect(await there.get(path)).toMatchObject({ status: 404, body: { code: 'not-found' } })
  expect((await there.post(RUNS, small)).status).toBe(404)
  const document = await (await fetch(`${production.url}/openapi.json`)).text()
  expect(document).not.toContain('/v1/labs')
})

/** A run that has begun to start its servers. */
async function underway(): Promise<void> {
  expect((await operator.post(RUNS, long)).status).toBe(202)
  await eventually(
    async () => readdirSync(temporary).filter((name) => readdirSync(join(temporary, name)).length > 0),
    (there) => there.length > 0,
  )
}

test('a server that is killed takes its lab with it', slow, async () => {
  await underway()
  const environment = environmentOf(programOf(server.pid))
  process.kill(server.pid, 'SIGKILL')
  server = (await Promise.all([start(), nothingLeft()]))[0]

  // And the lab knew nothing of it.
  if (process.platform !== 'linux') return
  expect(environment.names).toEqual(expect.arrayContaining(['PATH', 'TMPDIR', 'CAUCE_DATA']))
  for (const foreign of ['hush', database.url, 'DATABASE_URL', 'SANDBOX_URL', `CAUCE_DATA=${data.path}\0`])
    expect(environment.text).not.toContain(foreign)
})

test('and so does one that stops', slow, async () => {
  await underway()
  expect(await server.stop()).toBe(0)
  await nothingLeft()
})
