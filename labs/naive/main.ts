/**
 * The same shop as a hurried developer writes it, to be compared: `cauce demo --naive` gives it the same orders, the same faults
 * and the same kills as Cauce, and counts from outside what it lost and doubled.
 *
 * It is honest: real PostgreSQL, the same card processor, carrier and inbox, and eight mistakes that people really make, each
 * named where it is made. Nothing is broken on purpose and no die is thrown: asked for one order at a time it does all it should.
 *
 * `node --import tsx labs/naive/main.ts --data <directory> --sandbox <url> --port <number, 0 for any>`
 */
import { EventEmitter } from 'node:events'
import { parseArgs } from 'node:util'
import fastify from 'fastify'
import { createTransport } from 'nodemailer'
import pg from 'pg'
import { startEmbedded } from '@cauce/kit/database/embedded/server'
import { createLogger } from '@cauce/kit/telemetry/logger'
import { fulfil } from './fulfil.ts'
import { placeOrder } from './place-order.ts'
import { createTables, type NewOrder } from './schema.ts'

const { values } = parseArgs({
  options: { data: { type: 'string' }, sandbox: { type: 'string' }, port: { type: 'string', default: '0' } },
})
const { data: dataDirectory = '', sandbox: sandboxUrl = '', port } = values
const logger = createLogger({ level: 'warn', base: { shop: 'naive' } })

const database = await startEmbedded({ dataDirectory, logger })
const db = new pg.Pool({ connectionString: database.url, max: 20 })
db.on('error', (error) => logger.warn({ err: error }, 'A connection died'))
await createTables(db)

const { smtp } = (await (await fetch(sandboxUrl)).json()) as { smtp: string }
const mail = createTransport(smtp)
const events = new EventEmitter()
events.on('paid', (id: number) => {
  fulfil({ db, sandboxUrl, mail }, id).catch((error: unknown) => logger.error({ err: error, id }, 'Not fulfilled'))
})

const app = fastify()
app.post<{ Body: NewOrder }>('/orders', async ({ body }, reply) => {
  const answer = await placeOrder({ db, sandboxUrl, events }, body)
  return reply.code(answer.status).send(answer.body)
})
app.put<{ Body: { sku: string; price: number; stock: number } }>('/products', async ({ body }) => {
  const { sku, price, stock } = body
  await db.query(`INSERT INTO naive.products VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, [sku, price, stock])
  return {}
})
app.put<{ Body: { customer: string; balance: number } }>('/wallets', async ({ body }) => {
  const { customer, balance } = body
  await db.query(`INSERT INTO naive.wallets VALUES ($1, $2) ON CONFLICT DO NOTHING`, [customer, balance])
  return {}
})
for (const table of ['orders', 'products', 'wallets']) {
  app.get(`/${table}`, async () => (await db.query<object>(`SELECT * FROM naive.${table}`)).rows)
}
app.get('/health', async () => (await db.query<object>('SELECT 1')).rows)

const url = await app.listen({ host: '127.0.0.1', port: Number(port) })
process.stdout.write(`${JSON.stringify({ url })}\n`)

// Whoever started us stops us by closing the channel, or by dying.
process.once('disconnect', () => {
  void database.stop().finally(() => process.exit(0))
})
