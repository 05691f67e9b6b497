/** What happens to the servers. Each scene gives how many charges the card processor has of it. */
import type { Text } from '../contract.ts'
import type { LabProcess } from '../harness/process.ts'
import type { Stage } from '../harness/stage.ts'
import { wireTo } from '@cauce/kit/database/embedded/wire'
import type { Processor } from './processor.ts'

export interface Server {
  readonly process: LabProcess
  readonly port: number
  readonly authorizations: Readonly<Record<string, string>>
}

export interface Scene extends Pick<Stage, 'timers' | 'clock' | 'closing'> {
  readonly processor: Processor
  readonly servers: readonly [Server, Server]
  /** Answers that are not what was done. */
  readonly wrong: Text[]
}

export const customers = ['ana', 'ben', 'cleo', 'dan', 'eva'] as const

const AMOUNTS = { lost: 1_001, crowd: 1_002, changed: 1_003, twice: 1_004, stranger: 1_005, crash: 1_006 } as const

/** As long as a client asks again after a crash, and how often. */
const RETRY = { forMs: 6_000, everyMs: 50 }

interface Asked {
  readonly customer: (typeof customers)[number]
  readonly key: string
  readonly amount: number
}

interface Answered {
  /** 0: no answer. */
  readonly status: number
  readonly id: string | undefined
}

const silence: Answered = { status: 0, id: undefined }
const isPaid = ({ status, id }: Answered) => status >= 200 && status < 300 && id !== undefined

async function post(server: Server, { customer, key, amount }: Asked, port = server.port): Promise<Answered> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/pay`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: server.authorizations[customer]!,
        'idempotency-key': key,
        // The product answers when the card processor has; others do anyway.
        prefer: 'wait=10',
      },
      body: JSON.stringify({ amount, currency: 'EUR', method: 'card', token: 'tok_ok', reference: `bill ${amount}` }),
      signal: AbortSignal.timeout(15_000),
    })
    const { id } = (await response.json()) as { id?: string }
    return { status: response.status, id }
  } catch {
    return silence
  }
}

const lost: Asked = { customer: 'ana', key: 'intent-1', amount: AMOUNTS.lost }

/** The answer leaves the server and never reaches the client, which asks again: the other server, and once more. */
export async function lostAnswer(scene: Scene): Promise<number> {
  const { servers, timers, closing, processor, wrong } = scene
  const [one, other] = servers
  const wire = await wireTo(() => one.port, timers)
  closing(() => wire.close())
  const gone = wire.loseAnswer()
  const [first] = await Promise.all([post(one, lost, wire.port), gone])
  if (first.status !== 0) throw new Error('The answer was to be lost')
  const again = [await post(other, lost), await post(one, lost)]
  expectPaid(wrong, again, { en: 'after a lost answer', es: 'tras una respuesta perdida' })
  return processor.charges(AMOUNTS.lost)
}

/** All at once, half of them to each server; then one more, which must be told. */
export async function atOnce({ servers, processor, wrong }: Scene, clients: number): Promise<number> {
  const asked: Asked = { customer: 'ben', key: 'intent-1', amount: AMOUNTS.crowd }
  processor.gather(AMOUNTS.crowd, clients)
  const crowd = await Promise.all(Array.from({ length: clients }, (_, n) => post(servers[n % 2]!, asked)))
  const last = await post(servers[0], asked)
  const paid = crowd.filter(isPaid)
  // “Ask again later” is an answer; a failure of the server is none.
  const failed = crowd.filter((answer) => !isPaid(answer) && ![409, 425, 429, 503].includes(answer.status))
  expectPaid(wrong, [...paid, last], { en: 'many at once', es: 'muchas a la vez' })
  for (const { status } of failed) {
    wrong.push({ en: `One of many at once was answered ${status}`, es: `Una de muchas a la vez recibió ${status}` })
  }
  return processor.charges(AMOUNTS.crowd)
}

/** A used key, and another amount: neither charged nor answered as if it were. */
export async function changed({ servers, processor, wrong }: Scene): Promise<void> {
  const { status } = await post(servers[1], { ...lost, amount: AMOUNTS.changed })
  if (status < 400 || status >= 500) {
    wrong.push({
      en: `A used key with another amount was answered ${status}`,
      es: `Una clave usada con otro importe recibió ${status}`,
    })
  }
  if (processor.charges(AMOUNTS.changed) > 0) {
    wrong.push({ en: 'A used key charged another amount', es: 'Una clave usada cobró otro importe' })
  }
}

/** Three payments that look like others: the same again under another key, and another customer's under a used one. */
export async function others({ servers, processor, wrong }: Scene): Promise<number> {
  const [one, other] = servers
  const answers = [
    await post(one, { customer: 'cleo', key: 'intent-1', amount: AMOUNTS.twice }),
    await post(other, { customer: 'cleo', key: 'intent-2', amount: AMOUNTS.twice }),
    await post(other, { customer: 'dan', key: lost.key, amount: AMOUNTS.stranger }),
  ]
  for (const answer of answers) expectPaid(wrong, [answer], { en: 'another payment', es: 'otro pago' })
  return processor.charges(AMOUNTS.twice) + processor.charges(AMOUNTS.stranger)
}

/** The card is charged, and the server is killed before it hears of it. The client asks the other one, until it is told. */
export async function crashed({ servers, processor, timers, clock, wrong }: Scene): Promise<number> {
  const [one, other] = servers
  const asked: Asked = { customer: 'eva', key: 'intent-1', amount: AMOUNTS.crash }
  const charged = processor.keepSilent(AMOUNTS.crash)
  const first = post(one, asked)
  const came = await Promise.race([charged.then(() => true), first.then(() => false)])
  if (came) await one.process.kill()
  await first
  const until = clock.monotonic() + RETRY.forMs
  let last = silence
  while (!isPaid(last) && clock.monotonic() < until) {
    last = await post(other, asked)
    if (!isPaid(last)) await timers.sleep(RETRY.everyMs)
  }
  expectPaid(wrong, [last], { en: 'after the server’s death', es: 'tras la muerte del servidor' })
  return processor.charges(AMOUNTS.crash)
}

/** All of one intent: each paid, and the same payment. */
function expectPaid(wrong: Text[], answers: readonly Answered[], when: Text): void {
  for (const answer of answers) {
    if (isPaid(answer)) continue
    const said = answer.status === 0 ? { en: 'not answered', es: 'sin respuesta' } : undefined
    wrong.push({
      en: `${when.en}: ${said?.en ?? `answered ${answer.status}`}`,
      es: `${when.es}: ${said?.es ?? `recibió ${answer.status}`}`,
    })
  }
  const ids = new Set(answers.filter(isPaid).map(({ id }) => id))
  if (ids.size > 1) {
    wrong.push({
      en: `${when.en}: one intent was told of ${ids.size} payments`,
      es: `${when.es}: a una intención se le habló de ${ids.size} pagos`,
    })
  }
}
