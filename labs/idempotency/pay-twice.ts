/**
 * POST /v1/pay, whose answer is lost, so the client asks again: charged twice, or once.
 *
 * Two servers on one database, in processes of their own, and a card processor that neither of them is. What it charged is counted
 * there, by amount: each scene (pay-twice.scenes.ts) has amounts of its own. The processor answers charges of the crowd together,
 * so code that looks first and charges then has looked, all of it, before the first has an answer to store.
 */
import { hash } from 'node:crypto'
import { canonicalJson } from '@cauce/kit/core/codec'
import type { VariantReference } from '../harness/stage.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import naive, { type Open } from './pay-twice.naive.ts'
import { startProcessor } from './processor.ts'
import { atOnce, changed, crashed, customers, lostAnswer, others, type Scene, type Server } from './pay-twice.scenes.ts'

/** What a server is given (pay-twice.child.ts). */
export interface ServerInput {
  readonly url: string
  readonly variant: VariantReference
  /** Where the card processor is. */
  readonly processor: string
  readonly directory: string
  readonly customers: readonly string[]
  readonly leaseMs: number
}

/** Where it listens, and what its customers' requests say of them. */
export interface ServerTold {
  readonly port: number
  readonly authorizations: Readonly<Record<string, string>>
}

/** How long the other server waits for what a dead one had in hand. */
const LEASE_MS = 500

const rememberAfter: Open = async ({ sql, charge }) => {
  await sql('CREATE TABLE IF NOT EXISTS paid (customer text, key text, id text, PRIMARY KEY (customer, key))')
  return async ({ customer, key, amount, reference }) => {
    const [before] = await sql<{ id: string }>('SELECT id FROM paid WHERE customer = $1 AND key = $2', [customer, key])
    if (before) return { status: 201, body: before }
    const { id } = await charge({ amount, reference })
    await sql('INSERT INTO paid VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [customer, key, id])
    return { status: 201, body: { id } }
  }
}

const keyFirst: Open = async ({ sql, charge }) => {
  await sql(`CREATE TABLE IF NOT EXISTS idempotency_keys (
               customer text, key text, asked text NOT NULL, answer json, PRIMARY KEY (customer, key))`)
  return async ({ customer, key, amount, reference }) => {
    if (key === undefined) return { status: 400, body: {} }
    const asked = hash('sha256', canonicalJson([amount, reference]))
    await sql('INSERT INTO idempotency_keys VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [customer, key, asked])
    const [stored] = await sql<{ asked: string; answer: { id: string } | null }>(
      'SELECT asked, answer FROM idempotency_keys WHERE customer = $1 AND key = $2',
      [customer, key],
    )
    if (stored!.asked !== asked) return { status: 422, body: {} }
    if (stored!.answer) return { status: 201, body: stored!.answer }
    // Begun and not finished, by us or by one that died. Under this key the processor charges once, whoever asks.
    const { id } = await charge({ amount, reference }, hash('sha256', canonicalJson([customer, key])))
    await sql('UPDATE idempotency_keys SET answer = $3 WHERE customer = $1 AND key = $2', [customer, key, { id }])
    return { status: 201, body: { id } }
  }
}

/** Stands for the product's own server, which is started in its place. */
export const product: Open = () => Promise.reject(new Error('Started by the child'))

export const payTwice = lab<Open>()({
  id: 'pay-twice',
  phase: 4,
  title: { en: 'POST /v1/pay, and the answer is lost', es: 'POST /v1/pay, y la respuesta se pierde' },
  concept: {
    en:
      'The client asks to pay, and hears nothing. Perhaps the request never arrived; perhaps it was paid and the answer got lost; ' +
      'it cannot know. Not asking again means perhaps no payment, asking again means perhaps two. So the client names its intent, ' +
      'with an Idempotency-Key that is the same at each try, and the server keeps the answer under that name: the second try is ' +
      'given the first one’s answer. The same question comes up once more between the server and the card processor.',
    es:
      'El cliente pide pagar y no oye nada. Quizá la petición no llegó; quizá se cobró y se perdió la respuesta; no puede ' +
      'saberlo. No reintentar quizá sea no pagar, reintentar quizá sea pagar dos veces. Así que el cliente da nombre a su ' +
      'intención, con una Idempotency-Key que es la misma en cada intento, y el servidor guarda la respuesta bajo ese nombre: ' +
      'el segundo intento recibe la respuesta del primero. La misma pregunta vuelve entre el servidor y el procesador de tarjetas.',
  },
  watch: {
    en: 'Charges at the card processor: 1 in the first three columns, 3 in the fourth, which are three real payments.',
    es: 'Cargos en el procesador de tarjetas: 1 en las tres primeras columnas y 3 en la cuarta, que son tres pagos de verdad.',
  },
  parameters: {
    clients: {
      about: { en: 'Requests with one key at the same time', es: 'Peticiones con una misma clave a la vez' },
      default: 100,
      small: 20,
      min: 2,
      max: 300,
    },
  },
  variants: [
    {
      name: 'charge-each',
      expected: 'fails',
      about: { en: 'Charges with each request.', es: 'Cobra con cada petición.' },
      code: naive,
    },
    {
      name: 'remember-after',
      expected: 'fails',
      about: {
        en: 'Looks the key up, charges, stores the key. Right after a lost answer; wrong for two at once, and after a crash.',
        es: 'Busca la clave, cobra, guarda la clave. Bien tras una respuesta perdida; mal con dos a la vez y tras una caída.',
      },
      code: rememberAfter,
    },
    {
      name: 'key-first',
      expected: 'holds',
      about: {
        en: 'Stores the key first (UNIQUE), charges under a key made from it, then stores the answer. Whoever finds it unfinished finishes it.',
        es: 'Guarda primero la clave (UNIQUE), cobra con una clave derivada de ella y guarda la respuesta. Quien la encuentra a medias la termina.',
      },
      code: keyFirst,
    },
    {
      name: 'cauce',
      expected: 'holds',
      about: {
        en: 'The product: payment, task for the processor and answer in one transaction with the key; the task is retried under its id.',
        es: 'El producto: pago, tarea para el procesador y respuesta en una transacción con la clave; la tarea se reintenta con su id.',
      },
      code: product,
    },
  ],
  measures: {
    retried: { title: { en: 'lost answer', es: 'respuesta perdida' } },
    atOnce: { title: { en: 'all at once', es: 'todas a la vez' } },
    crashed: { title: { en: 'killed server', es: 'servidor muerto' } },
    others: { title: { en: 'three others', es: 'otros tres' } },
    wrong: { title: { en: 'wrong answers', es: 'respuestas falsas' } },
  },
  production: [
    {
      file: 'services/payments/http-pay.ts',
      about: {
        en: 'POST /v1/pay: the key is required, a repeat is told how its payment is by now',
        es: 'POST /v1/pay: la clave es obligatoria, y a una repetición se le dice cómo va su pago',
      },
    },
    {
      file: 'kit/pipeline/commands.ts',
      about: {
        en: 'keys are looked at before any other rule, and written with their answers in the transaction',
        es: 'las claves se miran antes que cualquier regla, y se escriben con sus respuestas en la transacción',
      },
    },
    {
      file: 'services/payments/tasks.ts',
      about: {
        en: 'the processor is asked under the task’s id, again and again, until it answers',
        es: 'al procesador se le pregunta con el id de la tarea, una y otra vez, hasta que responde',
      },
    },
  ],
  scaffold: 'labs/idempotency/pay-twice.naive.ts',

  async run(stage) {
    const processor = await startProcessor(stage.timers)
    stage.closing(() => processor.close())
    const servers = await startServers(stage, processor.url)
    const scene: Scene = { ...stage, processor, servers, wrong: [] }
    const retried = await lostAnswer(scene)
    stage.progress(1, 4)
    const crowd = await atOnce(scene, stage.parameters.clients)
    stage.progress(2, 4)
    await changed(scene)
    const real = await others(scene)
    stage.progress(3, 4)
    const afterCrash = await crashed(scene)
    for (const text of scene.wrong.slice(0, 2)) stage.note(text)
    return { retried, atOnce: crowd, crashed: afterCrash, others: real, wrong: scene.wrong.length }
  },

  fails: ({ retried, atOnce, crashed, others, wrong }) =>
    retried !== 1 || atOnce !== 1 || crashed !== 1 || others !== 3 || wrong !== 0,
})

/** Two, one after the other: the first makes the tables. */
async function startServers(stage: Stage, processor: string): Promise<[Server, Server]> {
  const { url } = await stage.database()
  const input: ServerInput = {
    url,
    variant: stage.variant,
    processor,
    directory: stage.directory(),
    customers,
    leaseMs: LEASE_MS,
  }
  const loading = [0, 1].map(() => stage.start('labs/idempotency/pay-twice.child.ts', input))
  const servers: Server[] = []
  for (const process of await Promise.all(loading)) {
    await process.next()
    process.go()
    const told = await process.next()
    if (told.kind !== 'said') throw new Error(`A server did not begin: ${JSON.stringify(told)}`)
    servers.push({ process, ...(told.value as ServerTold) })
  }
  return servers as [Server, Server]
}
