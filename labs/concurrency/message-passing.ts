/**
 * A stock counter for several threads: as memory that all of them share, and as an actor, a thread of its own that owns the number
 * and is asked by messages.
 *
 * Every access to the shared number is atomic, so there is no data race; what is looked at and what is done are still two steps. One
 * buyer pauses between them until the others have bought all that it saw.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { programFile } from '@cauce/kit/program/program.js'
import type { VariantReference } from '../harness/stage.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import naive, { type Run } from './message-passing.naive.ts'
import { meetingOf, sharedMemory, startThread, type Meeting } from './threads.ts'

/** What a thread is given when it starts (message-passing.worker.ts). */
export interface ThreadInput {
  readonly variant: VariantReference
  readonly name: string
  readonly wants: number
  readonly memory: Int32Array
  /** To whom it can write, and from whom its mailbox is fed. */
  readonly ports: Readonly<Record<string, MessagePort>>
  readonly meeting: Meeting
}

/** The last thing that it says. */
export interface FromThread {
  readonly result: number
  readonly sent: number
  /** How long it ran. */
  readonly ms: number
}

const OWNER = 'owner'
const CELLS = 16

const compareExchange: Run = ({ name, wants, memory, pause }) => {
  if (name === OWNER) return 0
  let bought = 0
  while (bought < wants) {
    const left = Atomics.load(memory, 0)
    if (left <= 0) break
    pause()
    // Takes one only if nobody has come between; else looks again.
    if (Atomics.compareExchange(memory, 0, left, left - 1) === left) bought += 1
  }
  return bought
}

const actor: Run = async ({ name, wants, memory, send, receive }) => {
  if (name !== OWNER) {
    let bought = 0
    while (bought < wants) {
      send(OWNER, { from: name })
      const { sold } = (await receive()) as { sold: boolean }
      if (!sold) break
      bought += 1
    }
    return bought
  }
  // Nobody else ever sees this variable, and one message is handled at a time: there is nothing to lock.
  let left = memory[0]!
  for (;;) {
    const asked = (await receive()) as { from: string } | undefined
    if (!asked) return left
    const sold = left > 0
    if (sold) left -= 1
    send(asked.from, { sold })
  }
}

export const messagePassing = lab<Run>()({
  id: 'message-passing',
  phase: 1,
  title: { en: 'Share memory, or send messages', es: 'Compartir memoria o mandar mensajes' },
  concept: {
    en:
      'Threads can work together in two ways. They share memory, and then each must know which others may come between which of its ' +
      'steps: even when every access is atomic, “is there one left?” and “take one” are two steps, and two buyers get the last ' +
      'unit. Or they share nothing and send messages: one thread, an actor, owns the number and handles one message of its ' +
      'mailbox at a time. Its code reads as if nobody else existed, and to the number nobody does.',
    es:
      'Los hilos pueden colaborar de dos maneras. Comparten memoria, y entonces cada uno debe saber quién puede meterse entre sus ' +
      'pasos: aunque cada acceso sea atómico, «¿queda una?» y «toma una» son dos pasos, y dos compradores se llevan la última ' +
      'unidad. O no comparten nada y se mandan mensajes: un hilo, un actor, es el dueño del número y atiende los mensajes de su ' +
      'buzón de uno en uno. Su código se lee como si no existiera nadie más, y para el número nadie existe.',
  },
  watch: {
    en: '“Sold too many”, then what each right way costs: messages, and time.',
    es: '«Vendidas de más», y después lo que cuesta cada forma correcta: mensajes y tiempo.',
  },
  parameters: {
    buyers: {
      about: { en: 'Threads that buy, one unit at a time', es: 'Hilos que compran, de unidad en unidad' },
      default: 4,
      small: 2,
      min: 2,
      max: 16,
    },
    stock: {
      about: { en: 'Units; each buyer would take all of them', es: 'Unidades; cada comprador se las llevaría todas' },
      default: 2_000,
      small: 200,
      min: 1,
      max: 20_000,
    },
  },
  variants: [
    {
      name: 'shared',
      expected: 'fails',
      about: {
        en: 'Shared memory, every access atomic: look whether there is one, then take one.',
        es: 'Memoria compartida, cada acceso atómico: mirar si queda una y después tomarla.',
      },
      code: naive,
    },
    {
      name: 'compare-exchange',
      expected: 'holds',
      about: {
        en: 'Shared memory, looked at and changed in one step: take one only if the number is still the one that was read.',
        es: 'Memoria compartida, mirada y cambiada en un solo paso: tomar una solo si el número sigue siendo el leído.',
      },
      code: compareExchange,
    },
    {
      name: 'actor',
      expected: 'holds',
      about: {
        en: 'A thread of its own owns the number; buyers put their wish into its mailbox and wait for the answer.',
        es: 'Un hilo aparte es el dueño del número; los compradores dejan su deseo en su buzón y esperan la respuesta.',
      },
      code: actor,
    },
  ],
  measures: {
    sold: { title: { en: 'sold', es: 'vendidas' } },
    oversold: { title: { en: 'sold too many', es: 'vendidas de más' } },
    messages: { title: { en: 'messages', es: 'mensajes' } },
    ms: { title: { en: 'time', es: 'tiempo' }, unit: 'ms' },
  },
  production: [
    {
      file: 'kit/pipeline/commands.ts',
      about: {
        en: 'a mailbox in the process: commands wait, one transaction at a time takes all that have come',
        es: 'un buzón en el proceso: las órdenes esperan y una transacción cada vez se lleva todas las que han llegado',
      },
    },
    {
      file: 'kit/log/message.ts',
      about: {
        en: 'services share no tables: each owns its own, and the others ask it by messages',
        es: 'los servicios no comparten tablas: cada uno es dueño de las suyas y los demás le piden por mensajes',
      },
    },
  ],
  scaffold: 'labs/concurrency/message-passing.naive.ts',

  async run(stage) {
    const { buyers, stock } = stage.parameters
    const names = Array.from({ length: buyers }, (_, i) => `buyer-${i + 1}`)
    const memory = sharedMemory(CELLS)
    memory[0] = stock
    const shop = await openShop(stage, names, memory)
    const bought = await Promise.all(names.map((name) => shop.resultOf(name)))
    shop.close()
    const owner = await shop.resultOf(OWNER)
    const sold = bought.reduce((sum, { result }) => sum + result, 0)
    const messages = [...bought, owner].reduce((sum, { sent }) => sum + sent, 0)
    return { sold, oversold: sold - stock, messages, ms: Math.round(Math.max(...bought.map(({ ms }) => ms))) }
  },

  // Selling too little is no fix either.
  fails: ({ oversold }) => oversold !== 0,
})

interface Shop {
  /** Rejects when the thread has thrown. */
  resultOf(name: string): Promise<FromThread>
  /** Tells the owner that there will be no more messages. */
  close(): void
}

/** All threads start as soon as the last of them is ready. */
async function openShop(stage: Stage<'buyers' | 'stock'>, names: readonly string[], memory: Int32Array): Promise<Shop> {
  const { variant, parameters } = stage
  const meeting = meetingOf(names.length + 1)
  const channels = names.map((name) => [name, new MessageChannel()] as const)
  const results = new Map<string, Promise<FromThread>>()
  const file = await programFile('labs/concurrency/message-passing.worker.ts')
  const open = (name: string, ports: Readonly<Record<string, MessagePort>>) => {
    let hear: (message: FromThread) => void = () => undefined
    const said = new Promise<FromThread>((resolve) => {
      hear = resolve
    })
    const wants = name === OWNER ? 0 : parameters.stock
    const data: ThreadInput = { variant, name, wants, memory, ports, meeting }
    const thread = startThread(stage, {
      file,
      data,
      transfer: Object.values(ports),
      onMessage: (message) => hear(message as FromThread),
    })
    const lost = thread.ended.then(() => Promise.reject(new Error(`The thread of ${name} ended without a result`)))
    const result = Promise.race([said, lost])
    result.catch(() => undefined)
    results.set(name, result)
    return thread
  }
  const owner = open(OWNER, Object.fromEntries(channels.map(([name, { port2 }]) => [name, port2])))
  for (const [name, { port1 }] of channels) open(name, { [OWNER]: port1 })
  return { resultOf: (name) => results.get(name)!, close: () => owner.worker.postMessage('closed', []) }
}
