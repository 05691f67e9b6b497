/** One server process of the shop: an HTTP server around somebody's handler, until it is killed. */
import Fastify from 'fastify'
import pg from 'pg'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import { statelessStateful, type ServerInput } from './stateless-stateful.ts'

await child<ServerInput>(async ({ variant, url, secret }, { say }) => {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  const start = await loadVariant(statelessStateful.variants, variant)
  const handle = start({
    secret,
    sql: async (statement, values = []) => (await pool.query<object>(statement, [...values])).rows as never[],
  })
  const app = Fastify()
  app.post<{ Body: { customer: string; add: string } }>('/basket', async ({ body, headers }, reply) => {
    const sent = /^basket=(.*)/.exec(headers.cookie ?? '')?.[1]
    const { basket, cookie } = await handle({ ...body, cookie: sent === undefined ? sent : decodeURIComponent(sent) })
    if (cookie !== undefined) reply.header('set-cookie', `basket=${encodeURIComponent(cookie)}`)
    return { basket }
  })
  await say(await app.listen({ port: 0, host: '127.0.0.1' }))
  // It serves until somebody kills it.
  await new Promise(() => undefined)
})
