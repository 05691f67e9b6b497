/**
 * What is around the shop's server: a client, the card processor, the database and what it tells. All of it outlives the
 * server, and all times are of one clock.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Stage } from '../harness/stage.ts'
import { createQueue } from './queue.ts'

/** Something that happened to an order: `orders placed`, `tasks leased`, `processor asked`. */
export interface Trace {
  readonly what: string
  readonly ms: number
}

export interface World {
  readonly url: string
  readonly processor: string
  /** What was seen of an order, in order. */
  traceOf(order: string): Trace[]
  /** Notes that something happened now. */
  see(order: string, what: string): void
  /** Resolves when it is paid. */
  paid(order: string): Promise<void>
  /** How the database and the processor stand at this moment. */
  stateOf(order: string): Promise<OrderState>
  /** POST /orders/… The status, or undefined when there was no answer. */
  post(port: number, order: string): Promise<number | undefined>
  /** GET /orders/… */
  read(port: number, order: string): Promise<string>
}

export interface OrderState {
  readonly order: string
  readonly task: string
  readonly charged: boolean
}

const PATIENCE_MS = 5_000

// A task that was claimed and has no end is leased. Telling within the transaction that writes slows writers down; for a
// few orders one after the other that is no matter.
const tables = `
  CREATE TABLE shop.orders (id text PRIMARY KEY, status text NOT NULL);
  CREATE TABLE shop.jobs (id bigserial PRIMARY KEY, order_id text NOT NULL);
  CREATE FUNCTION shop.tell() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE written jsonb := to_jsonb(NEW); BEGIN
    PERFORM pg_notify('shop', concat_ws(' ', coalesce(written->>'order_id', written->>'key', written->>'id'), CASE
      WHEN TG_TABLE_NAME = 'orders' THEN 'orders ' || (written->>'status')
      WHEN TG_TABLE_NAME = 'jobs' OR written->>'token' = '0' THEN 'tasks waiting'
      WHEN written->>'state' = 'open' THEN 'tasks leased'
      ELSE 'tasks ' || (written->>'state') END));
    RETURN NULL;
  END $$;
  CREATE TRIGGER tell AFTER INSERT OR UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.tell();
  CREATE TRIGGER tell AFTER INSERT ON shop.jobs FOR EACH ROW EXECUTE FUNCTION shop.tell();
  CREATE TRIGGER tell AFTER INSERT OR UPDATE ON shop.tasks FOR EACH ROW EXECUTE FUNCTION shop.tell();`

const state = `
  SELECT coalesce((SELECT status FROM shop.orders WHERE id = $1), '—') AS order,
         coalesce((SELECT CASE WHEN state <> 'open' THEN state WHEN token = 0 THEN 'waiting' ELSE 'leased' END
                   FROM shop.tasks WHERE key = $1),
                  (SELECT 'waiting' FROM shop.jobs WHERE order_id = $1 LIMIT 1), '—') AS task`

type Surroundings = Pick<Stage<'providerMs'>, 'parameters' | 'clock' | 'timers' | 'database' | 'closing'>

export async function openWorld(stage: Surroundings): Promise<World> {
  const { clock } = stage
  const { url, query, connect } = await stage.database()
  await createQueue(url)
  await query(tables)
  const traces = new Map<string, Trace[]>()
  const traceOf = (order: string) => {
    const trace = traces.get(order) ?? []
    traces.set(order, trace)
    return trace
  }
  const watchers = new Map<string, () => void>()
  const see = (order: string, what: string) => {
    traceOf(order).push({ what, ms: clock.monotonic() })
    if (what === 'orders paid') watchers.get(order)?.()
  }
  const client = await connect()
  client.on('notification', ({ payload = '' }) => {
    const [order = '', ...what] = payload.split(' ')
    see(order, what.join(' '))
  })
  await client.query('LISTEN shop')
  const processor = await startProcessor(stage, see)
  return {
    url,
    processor,
    traceOf,
    see,
    paid: (order) =>
      new Promise((resolve) => {
        if (traceOf(order).some(({ what }) => what === 'orders paid')) resolve()
        else watchers.set(order, resolve)
      }),
    async stateOf(order) {
      const [found] = await query<{ order: string; task: string }>(state, [order])
      return { ...found!, charged: traceOf(order).some(({ what }) => what === 'processor answers') }
    },
    async post(port, order) {
      const request = { method: 'POST', signal: AbortSignal.timeout(PATIENCE_MS) }
      const answer = await fetch(`http://127.0.0.1:${port}/orders/${order}`, request).catch(() => undefined)
      return answer?.status
    },
    read: async (port, order) => (await fetch(`http://127.0.0.1:${port}/orders/${order}`)).text(),
  }
}

/** The card processor: slow at first asking, and it remembers what it has done. */
async function startProcessor({ parameters, timers, closing }: Surroundings, see: World['see']): Promise<string> {
  const charged = new Set<string>()
  const server = createServer((request, response) => {
    const order = (request.url ?? '').slice('/charges/'.length)
    see(order, 'processor asked')
    // It does its work also for a client that has gone.
    void (charged.has(order) ? Promise.resolve() : timers.sleep(parameters.providerMs)).then(() => {
      charged.add(order)
      see(order, 'processor answers')
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing(async () => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
