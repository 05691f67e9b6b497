/** One of the two servers. It listens, says where, and may be killed. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { systemTimers } from '@cauce/kit/core/clock'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import { statementsOn } from '../harness/statements.ts'
import type { Open, Pay, Shop } from './pay-twice.naive.ts'
import { payTwice, product, type ServerInput, type ServerTold } from './pay-twice.ts'

await child<ServerInput>(async (input, { at, say }) => {
  const open = await loadVariant(payTwice.variants, input.variant)
  const listen = open === product ? await theProduct(input) : await ownServer(input, open)
  // The first one makes the tables.
  await at('ready')
  await say(await listen())
  await new Promise(() => undefined)
})

type Listen = () => Promise<ServerTold>

async function theProduct({ url, processor, directory, customers, leaseMs }: ServerInput): Promise<Listen> {
  const { startPayments } = await import('./payments.ts')
  // The process is killed: nothing is ever closed in order.
  const stage = { timers: systemTimers, closing: () => undefined }
  return async () => {
    const { port, authorization } = await startPayments(stage, { url, directory, processor, leaseMs })
    const tokens = await Promise.all(customers.map(async (name) => [name, await authorization(name)] as const))
    return { port, authorizations: Object.fromEntries(tokens) }
  }
}

async function ownServer({ url, processor, customers }: ServerInput, open: Open): Promise<Listen> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  const charge: Shop['charge'] = async (order, key) => {
    const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) }
    const response = await fetch(`${processor}/charges`, { method: 'POST', headers, body: JSON.stringify(order) })
    if (!response.ok) throw new Error(`The card processor answered ${response.status}`)
    return (await response.json()) as { id: string }
  }
  return async () => {
    const pay = await open({ ...statementsOn(pool, (_, take) => take()), charge })
    const server = createServer((request, response) => {
      handle(pay, request, response).catch((error: Error) => {
        response.writeHead(500).end(JSON.stringify({ message: error.message }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const tokens = customers.map((name) => [name, `Bearer ${name}`] as const)
    return { port: (server.address() as AddressInfo).port, authorizations: Object.fromEntries(tokens) }
  }
}

async function handle(pay: Pay, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const { amount, reference } = JSON.parse(text) as { amount: number; reference: string }
  const customer = (request.headers.authorization ?? '').slice('Bearer '.length)
  const key = request.headers['idempotency-key']?.toString()
  const { status, body } = await pay({ customer, key, amount, reference })
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
