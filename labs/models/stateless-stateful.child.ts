/** One server process of the shop: an HTTP server around somebody's handler, until it is killed. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import pg from 'pg'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import type { Request } from './stateless-stateful.naive.ts'
import { statelessStateful, type ServerInput } from './stateless-stateful.ts'

await child<ServerInput>(async ({ variant, url, secret }, { say }) => {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  const start = await loadVariant(statelessStateful.variants, variant)
  const handle = start({
    secret,
    sql: async (statement, values = []) => (await pool.query<object>(statement, [...values])).rows as never[],
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { customer, add } = (await json(request)) as Pick<Request, 'customer' | 'add'>
    const sent = /^basket=(.*)/.exec(request.headers.cookie ?? '')?.[1]
    const { basket, cookie } = await handle({
      customer,
      add,
      cookie: sent === undefined ? undefined : decodeURIComponent(sent),
    })
    const kept = cookie === undefined ? {} : { 'set-cookie': `basket=${encodeURIComponent(cookie)}` }
    response.writeHead(200, { 'content-type': 'application/json', ...kept }).end(JSON.stringify({ basket }))
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(JSON.stringify(String(error))))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  await say(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  // It serves until somebody kills it.
  await new Promise(() => undefined)
})
