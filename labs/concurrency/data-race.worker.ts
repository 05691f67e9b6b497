/** A thread that counts, once for each round it is told of. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadVariant } from '../harness/variant.ts'
import { dataRace, type FromCounter, type Round, type CounterInput } from './data-race.ts'
import { pauseTogether, startTogether } from './threads.ts'

const { variant } = workerData as CounterInput
const port = parentPort!
const say = (message: FromCounter) => port.postMessage(message)

const count = await loadVariant(dataRace.variants, variant)
port.on('message', (round: Round) => void play(round))
say('ready')

async function play({ meeting, memory, times, pauses }: Round): Promise<void> {
  startTogether(meeting)
  await count({
    times,
    memory,
    pause: pauses ? pauseTogether(meeting) : () => undefined,
    send: (number) => say({ number }),
  })
  say('done')
}
