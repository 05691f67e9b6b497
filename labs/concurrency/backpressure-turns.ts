/**
 * Producers that are faster than the consumer, over HTTP, in turns. In each turn every producer that has its answer sends one
 * request to a real server on the loopback interface, and the consumer takes one item. So with eight producers eight times as
 * much arrives as is done, unless the channel between them makes somebody wait. A turn ends when all that can happen has
 * happened, not after a time, so the numbers are the same on every machine. Memory is read after a full garbage collection.
 *
 * B1. Every item is accounted for by the lab: handed in, then taken, dropped, or refused. The channel's own word counts for
 *     nothing but its answers and `dropped`.
 * B2. After the last turn nothing new is made and the consumer goes on until nothing is left, or nothing more comes.
 */
import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Timers } from '@cauce/kit/core/clock'
import type { Stage } from '../harness/stage.ts'
import type { Channel, Item, MakeChannel } from './backpressure.naive.ts'

const BODY_BYTES = 32 * 1024
/** Of memory: each costs two garbage collections of the whole process. */
const SAMPLES = { default: 10, small: 2 } as const
/** How long the consumer waits for an item that is there, and for how many of them in vain. */
const PATIENCE_MS = 50
const MOST_IN_VAIN = 3

export interface Found {
  made: number
  taken: number
  dropped: number
  refused: number
  /** Turns that producers spent waiting for an answer. */
  waited: number
  /** Most items that were handed in and not settled. */
  peak: number
  /** Of an item, in turns, from its arrival to the consumer. */
  longestWait: number
  /** Turns in which the consumer got nothing. */
  starved: number
  /** Neither taken, dropped nor refused. */
  vanished: number
  /** Answers and items that make no sense: taken twice, dropped without having been there, an error. */
  odd: number
  readonly held: [turn: number, items: number][]
  readonly memory: [turn: number, megabytes: number][]
}

export async function playTurns(
  stage: Pick<Stage<'producers' | 'turns' | 'capacity'>, 'size' | 'parameters' | 'timers' | 'closing' | 'progress'>,
  make: MakeChannel,
): Promise<Found> {
  const { producers, turns, capacity } = stage.parameters
  const books = new Books()
  const channel = make({ capacity, dropped: (item) => books.dropped(item) })
  const server = await listen((incoming, response) => void receive(incoming, response, channel, books))
  const agent = new Agent({ keepAlive: true, maxSockets: producers })
  stage.closing(async () => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const senders = Array.from({ length: producers }, () => new Producer(agent, port, books))
  const consumer = new Consumer(channel, books, stage.timers)
  const atStart = await memoryInUse(stage.timers)
  for (let turn = 1; turn <= turns; turn++) {
    books.turn = turn
    const sent = senders.flatMap((sender) => sender.send() ?? [])
    await Promise.all(sent)
    books.found.waited += await answers(senders, stage.timers)
    if (!(await consumer.takeOne())) books.found.starved += 1
    // Whoever was given room by that sends again in the next turn.
    await answers(senders, stage.timers)
    books.found.held.push([turn, books.held])
    if (turn % Math.ceil(turns / SAMPLES[stage.size]) === 0)
      books.found.memory.push([turn, (await memoryInUse(stage.timers)) - atStart])
    stage.progress(turn, turns)
  }
  await drain(books, senders, consumer, stage.timers)
  return { ...books.found, vanished: books.held }
}

async function drain(books: Books, senders: readonly Producer[], consumer: Consumer, timers: Timers): Promise<void> {
  for (let inVain = 0; books.held > 0 && inVain < MOST_IN_VAIN; books.turn += 1) {
    await answers(senders, timers)
    if (!(await consumer.takeOne())) inVain += 1
  }
}

/** Waits for the answers that have been decided; gives how many producers still wait for theirs. */
async function answers(senders: readonly Producer[], timers: Timers): Promise<number> {
  const waiting = senders.filter(({ isWaiting }) => isWaiting)
  if (waiting.length > 0) await settled(timers)
  await Promise.all(waiting.filter(({ isDecided }) => isDecided).map(({ answered }) => answered))
  return waiting.filter(({ isWaiting }) => isWaiting).length
}

/** Lets everything run that only waits for its turn on the event loop. */
const settled = (timers: Timers): Promise<void> => timers.sleep(0)

/** Who has which item. */
class Books {
  turn = 0
  readonly found: Found = {
    made: 0,
    taken: 0,
    dropped: 0,
    refused: 0,
    waited: 0,
    peak: 0,
    longestWait: 0,
    starved: 0,
    vanished: 0,
    odd: 0,
    held: [],
    memory: [],
  }
  /** The turn in which it was handed in, by the item's id. */
  readonly #handedIn = new Map<number, number>()
  /** Resolved when the server has handed the item to the channel, and what became of it. */
  readonly #arrivals = new Map<number, { arrived(): void; decided: boolean }>()

  get held(): number {
    return this.#handedIn.size
  }

  expect(id: number): Promise<void> {
    return new Promise((arrived) => this.#arrivals.set(id, { arrived, decided: false }))
  }

  isDecided(id: number): boolean {
    return this.#arrivals.get(id)?.decided ?? false
  }

  async offer(item: Item, channel: Channel): Promise<number> {
    this.#handedIn.set(item.id, this.turn)
    this.found.peak = Math.max(this.found.peak, this.held)
    const arrival = this.#arrivals.get(item.id)
    const decision = (async () => channel.offer(item))()
    arrival?.arrived()
    const answer = await decision.catch(() => 'error' as const)
    if (arrival) arrival.decided = true
    if (answer === 'accepted') return 202
    if (!this.#settle(item)) this.found.odd += 1
    else if (answer === 'refused') this.found.refused += 1
    else this.found.odd += 1
    return answer === 'refused' ? 503 : 500
  }

  taken(item: Item): void {
    const since = this.#settle(item)
    if (since === undefined) this.found.odd += 1
    else {
      this.found.taken += 1
      this.found.longestWait = Math.max(this.found.longestWait, this.turn - since)
    }
  }

  dropped(item: Item): void {
    if (this.#settle(item) === undefined) this.found.odd += 1
    else this.found.dropped += 1
  }

  #settle(item: Item | undefined): number | undefined {
    const id = item?.id ?? Number.NaN
    const since = this.#handedIn.get(id)
    this.#handedIn.delete(id)
    return since
  }
}

/** One request at a time. An item that was refused is sent again before another one is made. */
class Producer {
  answered: Promise<void> = Promise.resolve()
  isWaiting = false
  #id: number | undefined
  readonly #agent: Agent
  readonly #port: number
  readonly #books: Books

  constructor(agent: Agent, port: number, books: Books) {
    this.#agent = agent
    this.#port = port
    this.#books = books
  }

  get isDecided(): boolean {
    return this.#books.isDecided(this.#id ?? Number.NaN)
  }

  /** Resolves when the request has reached the channel. Undefined while an answer is due. */
  send(): Promise<void> | undefined {
    if (this.isWaiting) return undefined
    const id = (this.#id ??= ++this.#books.found.made)
    this.isWaiting = true
    const arrived = this.#books.expect(id)
    this.answered = this.#post(id).then((status) => {
      this.isWaiting = false
      if (status !== 503) this.#id = undefined
    })
    return arrived
  }

  async #post(id: number): Promise<number> {
    const posted = request({
      agent: this.#agent,
      port: this.#port,
      method: 'POST',
      headers: { 'x-item': id, 'content-length': BODY_BYTES },
    })
    posted.end(Buffer.alloc(BODY_BYTES, id))
    // Cut off at the end of the lab, with the item unanswered.
    const [response] = (await once(posted, 'response').catch(() => [])) as [IncomingMessage?]
    response?.resume()
    if (response) await once(response, 'end').catch(() => undefined)
    return response?.statusCode ?? 0
  }
}

class Consumer {
  readonly #channel: Channel
  readonly #books: Books
  readonly #timers: Timers
  #taking: Promise<boolean> | undefined

  constructor(channel: Channel, books: Books, timers: Timers) {
    this.#channel = channel
    this.#books = books
    this.#timers = timers
  }

  /** False when none came although it waited; it goes on waiting for that one. */
  async takeOne(): Promise<boolean> {
    this.#taking ??= this.#take()
    const nothing = settled(this.#timers).then(() =>
      this.#books.held > 0 ? this.#timers.sleep(PATIENCE_MS) : undefined,
    )
    const got = await Promise.race([this.#taking, nothing.then(() => undefined)])
    if (got !== undefined) this.#taking = undefined
    return got === true
  }

  async #take(): Promise<boolean> {
    try {
      this.#books.taken(await this.#channel.take())
      return true
    } catch {
      this.#books.found.odd += 1
      return false
    }
  }
}

async function listen(handle: (incoming: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function receive(
  incoming: IncomingMessage,
  response: ServerResponse,
  channel: Channel,
  books: Books,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  const item = { id: Number(incoming.headers['x-item']), body: Buffer.concat(chunks) }
  const status = await books.offer(item, channel)
  response.writeHead(status, status === 503 ? { 'retry-after': '1' } : undefined).end()
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** In megabytes, without what nobody holds any more. */
async function memoryInUse(timers: Timers): Promise<number> {
  // What the first collection finds dead is given back in the background; the second one waits for that.
  collectGarbage()
  await settled(timers)
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1e6
}
