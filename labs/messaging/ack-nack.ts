/**
 * Producer, broker, consumer: a message is acknowledged, refused, or forgotten by a consumer that dies with it in its hands.
 *
 * The broker is the kit's task queue in PostgreSQL. The consumer is a process of its own; it is killed (kill -9) while it
 * handles each message that is to be forgotten, and another one goes on. Whatever the broker does is written down by a trigger.
 */
import type { VariantReference } from '../harness/stage.ts'
import { lab } from '../harness/lab.ts'
import type { LabProcess } from '../harness/process.ts'
import { taskRunner, type InsideBroker } from './ack-nack.kit.ts'
import naive, { type Consume, type Handle } from './ack-nack.naive.ts'
import { backMs, deliveries, kindsOf, statesChart, type Kind, type Kinds, type Noted } from './ack-nack.report.ts'
import { ahead } from './ahead.ts'
import { createQueue, openQueue } from './queue.ts'

/** What a consumer is given (ack-nack.child.ts). */
export interface AckNackInput {
  readonly url: string
  readonly variant: VariantReference
  readonly leaseMs: number
  readonly nackMs: number
  readonly kinds: Kinds
}

const LEASE_MS = 300
const NACK_MS = 50

const history = `
  CREATE TABLE shop.history (
    id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), message text NOT NULL, event text NOT NULL, token int8
  );
  CREATE FUNCTION shop.remember() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO shop.history (message, token, event) VALUES (NEW.id, NEW.token, CASE
      WHEN TG_OP = 'INSERT' THEN 'publish'
      WHEN NEW.attempt > OLD.attempt THEN 'receive'
      WHEN NEW.state <> 'open' THEN 'ack'
      WHEN NEW.token > OLD.token THEN 'nack'
      ELSE 'extend' END);
    RETURN NULL;
  END $$;
  CREATE TRIGGER remember AFTER INSERT OR UPDATE ON shop.tasks FOR EACH ROW EXECUTE FUNCTION shop.remember();`

const ackAfterWork: Consume = async ({ receive, ack, nack }, handle) => {
  for (let message = await receive(); message; message = await receive()) {
    try {
      await handle(message)
    } catch {
      await nack(message)
      continue
    }
    await ack(message)
  }
}

export const ackNack = lab<(broker: InsideBroker, handle: Handle) => Promise<void>>()({
  id: 'ack-nack',
  phase: 3,
  title: { en: 'Acknowledged, refused, forgotten', es: 'Confirmado, rechazado, olvidado' },
  concept: {
    en:
      'A producer gives a message to a broker, the broker to a consumer. The broker cannot see whether the work was done; it has ' +
      'to be told: ack means “done, forget it”, nack means “not done, give it to somebody again”. A consumer that dies says ' +
      'neither. So the broker only lends a message, for a time (the lease): when that is over, it comes back by itself. Whoever ' +
      'acknowledges on receipt has told the broker to forget what nobody has done yet.',
    es:
      'Un productor entrega un mensaje al broker y el broker a un consumidor. El broker no puede ver si el trabajo se hizo: hay ' +
      'que decírselo. Ack significa «hecho, olvídalo»; nack, «no hecho, dáselo a alguien otra vez». Un consumidor que muere no ' +
      'dice ninguna de las dos cosas. Por eso el broker solo presta el mensaje, con un plazo (el lease): cuando vence, vuelve ' +
      'solo. Quien confirma al recibir le ha dicho al broker que olvide algo que todavía nadie ha hecho.',
  },
  watch: {
    en: 'Each message must be handled in the end. The table follows one message of each kind through the broker.',
    es: 'Al final, cada mensaje debe estar hecho. La tabla sigue a un mensaje de cada clase a través del broker.',
  },
  parameters: {
    acknowledged: {
      about: { en: 'Messages whose work succeeds at once', es: 'Mensajes cuyo trabajo sale a la primera' },
      default: 6,
      small: 2,
      min: 1,
      max: 200,
    },
    refused: {
      about: { en: 'Messages whose work fails the first time', es: 'Mensajes cuyo trabajo falla la primera vez' },
      default: 3,
      small: 1,
      min: 1,
      max: 100,
    },
    forgotten: {
      about: {
        en: 'Messages whose consumer is killed the first time',
        es: 'Mensajes cuyo consumidor muere la primera vez',
      },
      default: 2,
      small: 1,
      min: 1,
      max: 5,
    },
  },
  variants: [
    {
      name: 'auto-ack',
      expected: 'fails',
      about: {
        en: 'Acknowledges on receipt, then works. What is refused or forgotten afterwards is gone.',
        es: 'Confirma al recibir y luego trabaja. Lo que se rechaza u olvida después ya no existe.',
      },
      code: naive,
    },
    {
      name: 'ack-after-work',
      expected: 'holds',
      about: {
        en: 'Works, then acknowledges; refuses when the work fails. Says nothing when it dies, and need not.',
        es: 'Trabaja y luego confirma; rechaza cuando el trabajo falla. Si muere no dice nada, ni falta que hace.',
      },
      code: ackAfterWork,
    },
    {
      name: 'task-runner',
      expected: 'holds',
      about: {
        en: 'The kit’s runner: the work returns its outcome (done, retry …), and the runner tells the queue.',
        es: 'El runner del kit: el trabajo devuelve su resultado (done, retry…) y el runner se lo dice a la cola.',
      },
      code: taskRunner,
    },
  ],
  measures: {
    handled: { title: { en: 'handled', es: 'hechos' } },
    lostRefused: { title: { en: 'refused and lost', es: 'rechazados y perdidos' } },
    lostForgotten: { title: { en: 'forgotten and lost', es: 'olvidados y perdidos' } },
    nackBackMs: { title: { en: 'refused: back after', es: 'rechazado: vuelve tras' }, unit: 'ms' },
    leaseBackMs: { title: { en: 'forgotten: back after', es: 'olvidado: vuelve tras' }, unit: 'ms' },
  },
  production: [
    {
      file: 'kit/task/port.ts',
      about: {
        en: 'the states of a task, and what a claim with its lease and token may do',
        es: 'los estados de una tarea, y qué puede hacer quien la tomó, con su lease y su token',
      },
    },
    {
      file: 'kit/task/outcome.ts',
      about: {
        en: 'done, retry, snooze, cancel: what an effect can say',
        es: 'done, retry, snooze, cancel: lo que puede decir un efecto',
      },
    },
    {
      file: 'kit/pipeline/outcomes.ts',
      about: {
        en: 'the acknowledgement: the task is settled in the transaction of its decision',
        es: 'la confirmación: la tarea se cierra en la transacción de su decisión',
      },
    },
  ],
  scaffold: 'labs/messaging/ack-nack.naive.ts',

  async run(stage) {
    const { variant, parameters, random, database, closing, chart, note, progress } = stage
    const { url, query } = await database()
    await createQueue(url)
    await query(history)
    const kinds = kindsOf(parameters, random('kinds'))
    const messages = Object.keys(kinds).length
    const queue = openQueue(url)
    closing(() => queue.close())
    const input: AckNackInput = { url, variant, leaseMs: LEASE_MS, nackMs: NACK_MS, kinds }
    const next = ahead(stage, 'labs/messaging/ack-nack.child.ts', input)
    let consumer = await next()
    await queue.publish(Object.keys(kinds).map((id) => ({ id, data: {} })))
    for (let kills = 1; ; kills++) {
      const forgotten = await consumeUntilKilled(consumer)
      progress(kills, parameters.forgotten + 1)
      if (forgotten === undefined) break
      await query(`INSERT INTO shop.history (message, event) VALUES ($1, 'kill -9')`, [forgotten])
      consumer = await next()
    }
    const events = await query<Noted>(
      `SELECT message, event, token::int, extract(epoch FROM at)::float8 * 1000 AS ms FROM shop.history ORDER BY at, id`,
    )
    chart(statesChart(kinds, events))
    const done = new Set(events.filter(({ event }) => event === 'done').map(({ message }) => message))
    const lost = Object.entries(kinds).filter(([id]) => !done.has(id))
    const [one] = lost
    if (one) {
      note({
        en: `${one[0]} was ${one[1]} and has not been done. Deliveries: ${deliveries(events, one[0])}; the broker waits for nothing any more`,
        es: `${one[0]} fue ${spanish[one[1]]} y no se ha hecho. Entregas: ${deliveries(events, one[0])}; el broker ya no espera nada`,
      })
    }
    const count = (kind: Kind) => lost.filter(([, each]) => each === kind).length
    return {
      messages,
      handled: done.size,
      lostRefused: count('refused'),
      lostForgotten: count('forgotten'),
      ...backMs(kinds, events),
    }
  },

  fails: ({ messages, handled }) => handled !== messages,
})

const spanish: Readonly<Record<Kind, string>> = {
  acknowledged: 'confirmado',
  refused: 'rechazado',
  forgotten: 'olvidado',
}

/** The message with which it was killed; undefined when it has come to its end. */
async function consumeUntilKilled(consumer: LabProcess): Promise<string | undefined> {
  consumer.go()
  for (;;) {
    const told = await consumer.next()
    if (told.kind === 'ended' && told.code === 0) return undefined
    if (told.kind === 'ended') throw new Error(`The consumer ended with ${told.code}\n${told.error}`)
    if (told.kind === 'said') continue
    await consumer.kill()
    return told.name
  }
}
