/** Real server processes for tests: started on a database, killed, started again; and clients that use them. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { systemIds } from '@cauce/kit/core/id-source'
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { knownRoot } from '@cauce/kit/database/embedded/place'
import { loadDevKey, signToken } from '@cauce/kit/http/dev-key'
import { conformanceTo, resolved, type Seen } from '@cauce/kit/http/testing-openapi'
import { programFile } from '@cauce/kit/program/program.js'

export interface ServerProcess {
  readonly url: string
  readonly pid: number
  /** kill -9 of the process group, as if the machine's owner had done it. */
  kill(): Promise<void>
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>
}

/** Starts a server in a process group of its own. Rejects with its last words when it does not come up. */
export async function serverProcess(
  environment: Readonly<Record<string, string>>,
  program = 'server/main.ts',
): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['--enable-source-maps', await programFile(program)], {
    detached: true,
    env: { ...process.env, PORT: '0', LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let words = ''
  child.stderr.on('data', (chunk: Buffer) => {
    words = `${words}${chunk.toString()}`.slice(-8000)
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const url = await Promise.race([
    firstLine(child).then((line) => (JSON.parse(line) as { url: string }).url),
    exited.then((code) => Promise.reject(new Error(`The server ended with ${code}: ${words}`))),
  ])
  return {
    url,
    pid: child.pid!,
    async kill() {
      process.kill(-child.pid!, 'SIGKILL')
      await exited
    },
    stop() {
      child.kill('SIGTERM')
      return exited
    },
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line
  throw new Error('The server said nothing')
}

/** A data directory; removed afterwards, and the sandbox that outlived its server with it. */
export function dataDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'cauce-server-'))
  return {
    path,
    remove() {
      const announcement = join(path, 'sandbox.json')
      if (existsSync(announcement)) endProcess((JSON.parse(readFileSync(announcement, 'utf8')) as { pid: number }).pid)
      // The cluster of root lives elsewhere when its own account cannot come in here.
      const moved = knownRoot(path)
      rmSync(path, { recursive: true, force: true })
      if (moved !== undefined && !moved.startsWith(path)) rmSync(dirname(moved), { recursive: true, force: true })
    },
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    // It has ended already.
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Whatever a server says; tests look into it. */
  readonly body: any
}

export interface Client {
  get(path: string): Promise<Answer>
  post(path: string, body?: object, key?: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
  put(path: string, body: object): Promise<Answer>
  /** Posts with one key until it is answered, through crashes and restarts. */
  insist(path: string, body: object): Promise<Answer>
}

const GIVE_UP_MS = 60_000

const checks = new Map<string, Promise<((seen: Seen) => string[]) | undefined>>()

/** What a server's own document says of its answers; nothing when it has gone before it could be asked. */
async function faultsIn(url: string, seen: Seen): Promise<string[]> {
  const asked = (): Promise<((seen: Seen) => string[]) | undefined> =>
    fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(20_000) })
      .then(async (answer) => (answer.ok ? conformanceTo(resolved(await answer.json())) : undefined))
      .catch(() => undefined)
  const check = checks.get(url) ?? asked()
  checks.set(url, check)
  const conforms = await check
  if (!conforms) checks.delete(url)
  return conforms?.(seen) ?? []
}

/** Throws unless an answer is what the document of its server promises: any client of the tests checks that. */
export async function conforms(url: string, seen: Seen): Promise<void> {
  const faults = await faultsIn(url, seen)
  if (faults.length > 0) throw new NonconformingAnswerError(faults.join('\n'))
}

/** Never an answer to try again for. */
export class NonconformingAnswerError extends Error {
  override readonly name = 'NonconformingAnswerError'
}

/** `url` is asked at each call: the server may have moved. */
export async function client(
  data: string,
  url: () => string,
  subject: string,
  role: 'customer' | 'operator',
): Promise<Client> {
  const token = await signToken(await loadDevKey(data), { subject, roles: [role] })
  const call = async (
    method: string,
    path: string,
    body?: object,
    key?: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    const at = url()
    const response = await fetch(at + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...more,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(20_000),
    })
    const { status, headers } = response
    const text = await response.text()
    await conforms(at, { method, url: path, status, headers, body: text })
    return { status, headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const post: Client['post'] = (path, body, key = systemIds.draw(), headers = {}) =>
    call('POST', path, body, key, headers)
  return {
    get: (path) => call('GET', path),
    put: (path, body) => call('PUT', path, body),
    post,
    async insist(path, body) {
      const key = systemIds.draw()
      const until = systemClock.monotonic() + GIVE_UP_MS
      for (;;) {
        const answer = await post(path, body, key).catch((error: Error) => error)
        if (answer instanceof NonconformingAnswerError) throw answer
        if (!(answer instanceof Error) && answer.status !== 503) return answer
        if (systemClock.monotonic() > until)
          throw answer instanceof Error ? answer : new Error(JSON.stringify(answer.body))
        await systemTimers.sleep(100)
      }
    },
  }
}

export const shipTo = (postalCode = '28013') => ({
  name: 'A',
  line1: 'Calle Mayor 1',
  city: 'Madrid',
  postalCode,
  country: 'ES',
})

export const orderOf = (sku: string, quantity = 1, postalCode = '28013') => ({
  lines: [{ sku, quantity }],
  payment: { method: 'wallet' },
  shipTo: shipTo(postalCode),
})

/** One call to the sandbox that a server of this data directory has started or found. */
export async function sandboxOf(data: string, path: string, method = 'GET', body?: object): Promise<any> {
  const { url } = JSON.parse(readFileSync(join(data, 'sandbox.json'), 'utf8')) as { url: string }
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  return response.json()
}

/** The order, once it is completed or cancelled. */
export async function endOf(reader: Client, orderId: string): Promise<any> {
  const isTerminal = ({ body }: Answer) => ['completed', 'cancelled'].includes(body.status)
  return (await eventually(() => reader.get(`/v1/orders/${orderId}`), isTerminal)).body
}

/** The audit, once every message is applied. */
export async function settledAudit(operator: Client): Promise<any> {
  const isSettled = ({ body }: Answer) => body.log.unapplied === 0
  return (await eventually(() => operator.get('/v1/ops/audit'), isSettled)).body
}

/** A product with stock, and a wallet with money. */
export async function stocked(operator: Client, sku: string, onHand: number, amount = 1000): Promise<void> {
  await operator.put(`/v1/products/${sku}`, { name: sku, price: { amount, currency: 'EUR' } })
  await operator.insist(`/v1/products/${sku}/stock`, { delta: onHand, reason: 'test' })
}

export async function funded(operator: Client, customer: Client, id: string, amount: number): Promise<void> {
  await customer.insist('/v1/accounts', { currency: 'EUR' })
  if (amount > 0) await operator.insist(`/v1/accounts/${id}/deposits`, { amount, currency: 'EUR', reference: 'test' })
}

/** Looks until it holds, at most a minute. */
export async function eventually<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  const until = systemClock.monotonic() + GIVE_UP_MS
  for (;;) {
    const seen = await look().catch((error: unknown) => error)
    if (seen instanceof NonconformingAnswerError) throw seen
    if (!(seen instanceof Error) && holds(seen as T)) return seen as T
    if (systemClock.monotonic() > until)
      throw new Error(`It did not come about: ${JSON.stringify(seen)}`, { cause: seen })
    await systemTimers.sleep(100)
  }
}
