/** One thread of the shop: the owner's, or a buyer's. Its mailbox is fed by ports. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadVariant } from '../harness/variant.ts'
import { messagePassing, type FromThread, type ThreadInput } from './message-passing.ts'
import { pauseFirst, startTogether } from './threads.ts'

const { variant, name, wants, memory, ports, meeting } = workerData as ThreadInput
const parent = parentPort!
const say = (message: FromThread) => parent.postMessage(message, [])

const run = await loadVariant(messagePassing.variants, variant)
const mailbox: unknown[] = []
const waiting: ((message: unknown) => void)[] = []
let isClosed = false
let sent = 0

function arrive(message: unknown): void {
  const next = waiting.shift()
  if (next) next(message)
  else mailbox.push(message)
}

for (const port of Object.values(ports)) port.on('message', arrive)
// The only thing that the one who started it ever says: there will be no more.
parent.on('message', () => {
  isClosed = true
  for (const next of waiting.splice(0)) next(undefined)
})

startTogether(meeting)
const begun = performance.now()
const result = await run({
  name,
  wants,
  memory,
  pause: pauseFirst(meeting, () => Atomics.load(memory, 0)),
  send(to, message) {
    const port = ports[to]
    if (!port) throw new Error(`${name} cannot write to ${to}, only to ${Object.keys(ports).join(', ')}`)
    sent += 1
    port.postMessage(message)
  },
  receive: () =>
    new Promise((resolve) => {
      if (mailbox.length > 0) resolve(mailbox.shift())
      else if (isClosed) resolve(undefined)
      else waiting.push(resolve)
    }),
})
say({ result, sent, ms: performance.now() - begun })
