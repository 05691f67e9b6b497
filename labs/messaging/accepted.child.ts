/** The server of the shop: takes orders over HTTP, and is killed before one of its steps. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import { accepted, type AcceptedInput } from './accepted.ts'
import { statementsOn } from '../harness/statements.ts'
import { steps } from '../harness/steps.ts'

await child<AcceptedInput>(async ({ url, processor, variant }, stage) => {
  const step = steps(stage)
  const pool = new pg.Pool({ connectionString: url, options: '-c search_path=shop', max: 4 })
  const open = await loadVariant(accepted.variants, variant)
  await stage.at('ready')
  const { post, resume } = open({
    ...statementsOn(pool, step),
    // Others go on while the card processor takes its time.
    charge: (order) => step('the charge', async () => undefined).then(() => charge(`${processor}/charges/${order}`)),
    url,
    step,
  })
  await resume?.()
  const server = createServer((request, response) => {
    const order = (request.url ?? '').slice('/orders/'.length)
    // Whoever asks how far an order is disturbs nothing, and is not disturbed.
    if (request.method === 'GET') return void status(pool, order).then((body) => response.end(body))
    void stage
      .say('the request')
      .then(() => post(order, (code) => step(`the answer ${code}`, () => send(response, code))))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await stage.say((server.address() as AddressInfo).port)
  await new Promise(() => undefined)
})

async function charge(url: string): Promise<void> {
  const { ok, status: code } = await fetch(url, { method: 'POST' })
  if (!ok) throw new Error(`The card processor answered ${code}`)
}

async function status(pool: pg.Pool, order: string): Promise<string> {
  const { rows } = await pool.query<{ status: string }>('SELECT status FROM orders WHERE id = $1', [order])
  return rows[0]?.status ?? 'unknown'
}

/** Resolves when the operating system has it: a process that is killed then has answered. */
function send(response: ServerResponse, code: number): Promise<void> {
  return new Promise((resolve) => void response.writeHead(code, { 'content-length': '0' }).end(resolve))
}
