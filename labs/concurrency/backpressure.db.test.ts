import { testGrades } from '../harness/testing.ts'
import { backpressure } from './backpressure.ts'

/** A channel whose `offer` is given: it has items, capacity, dropped, and takes as one would at first. */
const channel = (offer: string, taking = ''): string => `
  export default ({ capacity, dropped }) => {
    const items = []
    const waiting = []
    return {
      async offer(item) { ${offer} },
      async take() {
        while (items.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
        ${taking}
        return items.shift()
      },
    }
  }`

testGrades(backpressure, {
  'dropping the newest': [
    'holds',
    channel(`if (items.length >= capacity) dropped(item); else items.push(item); return 'accepted'`),
  ],
  'refusing a little early': [
    'holds',
    channel(`if (items.length > capacity / 2) return 'refused'; items.push(item); return 'accepted'`),
  ],
  'waiting by looking again and again': [
    'holds',
    channel(
      `while (items.length >= capacity) await new Promise((resolve) => setTimeout(resolve, 1)); items.push(item); return 'accepted'`,
    ),
  ],
  'handing over one to one, without a buffer': [
    'holds',
    channel(
      `if (items.length > 0) await new Promise((resolve) => waiting.push(resolve)); items.push(item); return 'accepted'`,
      'waiting.shift()?.()',
    ),
  ],
  'dropping without saying so': ['fails', channel(`if (items.length < capacity) items.push(item); return 'accepted'`)],
  'a limit of ten times as much': [
    'fails',
    channel(`if (items.length >= 10 * capacity) return 'refused'; items.push(item); return 'accepted'`),
  ],
  'refusing what it keeps': [
    'fails',
    channel(`items.push(item); return items.length > capacity ? 'refused' : 'accepted'`),
  ],
  'refusing everything': ['fails', channel(`return 'refused'`)],
  'dropping everything': ['fails', channel(`dropped(item); return 'accepted'`)],
  'an error when it is full': [
    'fails',
    channel(`if (items.length >= capacity) throw new Error('full'); items.push(item); return 'accepted'`),
  ],
  'an answer that nobody knows': ['fails', channel(`items.push(item); return 'yes'`)],
  'never answering': ['fails', channel(`await new Promise(() => {})`)],
})
