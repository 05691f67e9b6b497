/** The workers of a run, the queue, and what is seen of them: all times are of one clock. */
import type { Chart } from '../contract.ts'
import type { LabProcess } from '../harness/process.ts'
import type { Stage } from '../harness/stage.ts'
import { createQueue, openQueue, type MessageQueue } from './queue.ts'

/** `works` (said by a worker), `heartbeat` and `result` (told by the database), `killed`, `stopped`, `continued`, `ended`. */
export interface Seen {
  readonly what: string
  readonly message: string
  /** Of a result: whose it is. */
  readonly worker: string
  readonly ms: number
}

export interface World {
  readonly url: string
  readonly queue: MessageQueue
  readonly seen: readonly Seen[]
  see(what: string, message: string, worker: string): void
  /** Whose results of a message were written, one after the other. */
  resultsOf(message: string): readonly string[]
  /** Resolves when this is so, which is looked at whenever something is seen, or after `ms`. */
  until(holds: () => boolean, ms: number): Promise<void>
}

const tables = `
  CREATE TABLE shop.results (id text PRIMARY KEY, result text NOT NULL);
  CREATE FUNCTION shop.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_TABLE_NAME = 'results' THEN
      PERFORM pg_notify('shop', 'result ' || NEW.id || ' ' || NEW.result);
    ELSIF NEW.state = 'open' AND NEW.due_at > OLD.due_at AND NEW.attempt = OLD.attempt AND NEW.token = OLD.token THEN
      PERFORM pg_notify('shop', 'heartbeat ' || NEW.id || ' ');
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER tell AFTER INSERT OR UPDATE ON shop.results FOR EACH ROW EXECUTE FUNCTION shop.tell();
  CREATE TRIGGER tell AFTER UPDATE ON shop.tasks FOR EACH ROW EXECUTE FUNCTION shop.tell();`

export async function openWorld({ database, closing, clock, timers, signal }: Stage): Promise<World> {
  const { url, query, connect } = await database()
  await createQueue(url)
  await query(tables)
  const queue = openQueue(url)
  closing(() => queue.close())
  const seen: Seen[] = []
  let look = () => {}
  const see = (what: string, message: string, worker: string) => {
    seen.push({ what, message, worker, ms: clock.monotonic() })
    look()
  }
  const listener = await connect()
  listener.on('notification', ({ payload = '' }) => {
    const [what = '', message = '', worker = ''] = payload.split(' ')
    see(what, message, worker)
  })
  await listener.query('LISTEN shop')
  return {
    url,
    queue,
    seen,
    see,
    resultsOf: (message) =>
      seen.filter((one) => one.what === 'result' && one.message === message).map(({ worker }) => worker),
    async until(holds, ms) {
      const enough = new AbortController()
      look = () => void (holds() && enough.abort())
      look()
      await timers.sleep(ms, AbortSignal.any([enough.signal, signal]))
    },
  }
}

export interface Worker {
  readonly name: string
  readonly process: LabProcess
  /** Resolves when it has the message that it holds in its hands. */
  readonly holding: Promise<void>
  /** Resolves when it has ended by itself or was killed; rejects when it ended with an error. */
  readonly ended: Promise<void>
}

/** Follows a process that stands at `ready`, and lets it begin. */
export function follow(name: string, process: LabProcess, see: World['see']): Worker {
  let held = () => {}
  const holding = new Promise<void>((resolve) => {
    held = resolve
  })
  const walk = async () => {
    for (;;) {
      const told = await process.next()
      if (told.kind === 'said') see('works', told.value as string, name)
      else if (told.kind === 'at') held()
      else if (told.code === 0 || told.code === null) return see('ended', '', name)
      else throw new Error(`Worker ${name} ended with ${told.code}\n${told.error}`)
    }
  }
  const ended = walk()
  // Whoever never holds a message must not be waited for; and not everybody's end is.
  const comes = Promise.race([holding, ended])
  for (const promise of [ended, comes]) promise.catch(() => undefined)
  process.go()
  return { name, process, holding: comes, ended }
}

/** @param titles of the workers, by name */
export function workersChart(seen: readonly Seen[], titles: Readonly<Record<string, string>>): Chart {
  const begun = seen[0]?.ms ?? 0
  const end = seen.at(-1)?.ms ?? 0
  const rows = Object.entries(titles).map(([worker, name]) => {
    const own = seen.filter((one) => one.worker === worker && one.what !== 'heartbeat')
    const spans = own.flatMap(({ what, message, ms }, i) => {
      const from = Math.round(ms - begun)
      const to = Math.round((own[i + 1]?.ms ?? end) - begun)
      if (what === 'works' || what === 'continued') return [{ from, to, label: message }]
      return what === 'stopped' ? [{ from, to, label: 'SIGSTOP' }] : []
    })
    return { name, spans }
  })
  return { kind: 'timeline', title: { en: 'Who had which message when', es: 'Quién tuvo qué mensaje y cuándo' }, rows }
}
