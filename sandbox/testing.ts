/** What the sandbox's tests share: directories that go away, requests, bookings and charges, and the real process. */
import { sourceLoader } from '@cauce/kit/program/testing'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { systemRandom } from '@cauce/kit/core/prng'
import { type Sandbox, startSandbox } from './server.ts'

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cauce-sandbox-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A sandbox in this process; closed when the test ends. */
export async function sandboxHere(dataDirectory = temporaryDirectory(), port = 0): Promise<Sandbox> {
  const sandbox = await startSandbox({
    dataDirectory,
    port,
    timers: systemTimers,
    clock: systemClock,
    random: systemRandom,
    onBroken: (error) => {
      throw error
    },
  })
  let closed: Promise<void> | undefined
  const close = () => (closed ??= sandbox.close())
  onTestFinished(close)
  return { ...sandbox, close }
}

/** The real process; killed when the test ends. `ready` is its URL. */
export function sandboxProcess(dataDirectory: string): {
  child: ChildProcess
  ready: Promise<string>
  kill(): Promise<void>
} {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const child = spawn(process.execPath, [...sourceLoader, main, '--data', dataDirectory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => (complaint += String(text)))
  const exited = once(child, 'exit')
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text: Buffer) => {
      const url = /http:[^\s,]+/.exec(String(text))?.[0]
      if (url) resolve(url)
    })
    child.once('close', (code) => reject(new Error(`The sandbox ended with ${code} before it listened: ${complaint}`)))
  })
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  return { child, ready, kill }
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

export async function request(url: string, method: string, path: string, body?: unknown, headers = {}): Promise<Reply> {
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const response = await fetch(new URL(path, url), { method, headers, ...sent })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

export const bookingBody = (suffix: string, postalCode = '28001') => ({
  shipmentId: `shp_${suffix}`,
  orderId: `ord_${suffix}`,
  shipTo: { name: 'Ana', line1: 'Calle Mayor 1', city: 'Madrid', postalCode, country: 'ES' },
  lines: [{ sku: 'LAMP', quantity: 2 }],
})

export function book(url: string, key: string, body: unknown = bookingBody(key)): Promise<Reply> {
  return request(url, 'POST', '/shipments', body, { 'idempotency-key': key })
}

export const chargeBody = (suffix: string, token = 'tok_ok', amount = 1250) => ({
  paymentId: `pay_${suffix}`,
  amount,
  currency: 'EUR',
  token,
})

export function charge(url: string, key: string, body: unknown = chargeBody(key)): Promise<Reply> {
  return request(url, 'POST', '/charges', body, { 'idempotency-key': key })
}

export function capture(url: string, key: string, amount = 1250): Promise<Reply> {
  return request(url, 'POST', `/charges/${key}/capture`, { amount }, { 'idempotency-key': `capture-${key}` })
}

export function refund(url: string, key: string, refundKey: string, amount: number): Promise<Reply> {
  return request(url, 'POST', `/charges/${key}/refunds`, { amount }, { 'idempotency-key': refundKey })
}

/** Looks until it is so; fails after 10 s. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 2_000; looks++) {
    if (await isSo()) return
    await systemTimers.sleep(5)
  }
  throw new Error(`Not within 10 s: ${what}`)
}
