import { testGrades } from '../harness/testing.ts'
import { concurrencyParallelism } from './concurrency-parallelism.ts'

testGrades(concurrencyParallelism, {
  'each job in halves on the pool': [
    'holds',
    `export default async ({ from, to }, { pool }) => {
       const middle = Math.floor((from + to) / 2)
       const [one, other] = await Promise.all([pool(from, middle), pool(middle, to)])
       return one + other
     }`,
  ],
  'a thread of its own for each job, with code of its own': [
    'holds',
    `import { Worker } from 'node:worker_threads'
     const source = \`
       const { parentPort, workerData: { from, to } } = require('node:worker_threads')
       let count = 0
       next: for (let n = from; n < to; n++) {
         if (n % 2 === 0) continue
         for (let d = 3; d * d <= n; d += 2) if (n % d === 0) continue next
         count++
       }
       parentPort.postMessage(count)\`
     export default (job) =>
       new Promise((resolve, reject) =>
         new Worker(source, { eval: true, workerData: job }).once('message', resolve).once('error', reject))`,
  ],
  'a turn before each job': [
    'fails',
    `export default async ({ from, to }, { primes, turn }) => {
       await turn()
       return primes(from, to)
     }`,
  ],
  'one job after the other, with pauses between': [
    'fails',
    `let last = Promise.resolve()
     export default ({ from, to }, { primes }) => {
       const mine = last.then(() => new Promise((resolve) => setTimeout(resolve, 20))).then(() => primes(from, to))
       last = mine
       return mine
     }`,
  ],
  'slices, but only promises between them': [
    'fails',
    `export default async ({ from, to }, { primes }) => {
       let count = 0
       for (let at = from; at < to; at += 100) {
         count += primes(at, Math.min(at + 100, to))
         await Promise.resolve()
       }
       return count
     }`,
  ],
  guessing: ['fails', `export default async () => 1923`],
})
