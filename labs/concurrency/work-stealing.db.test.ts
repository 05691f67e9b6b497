import { testGrades } from '../harness/testing.ts'
import { workStealing } from './work-stealing.ts'

testGrades(workStealing, {
  'stealing half of the fullest queue at once': [
    'holds',
    `export default async ({ number, queues, run }) => {
       const own = queues[number]
       for (;;) {
         if (own.length === 0) {
           const fullest = queues.reduce((one, other) => (other.length > one.length ? other : one))
           if (fullest.length === 0) return
           own.push(...fullest.splice(0, Math.ceil(fullest.length / 2)))
         }
         await run(own.shift())
       }
     }`,
  ],
  'dealing everything anew before the first task': [
    'holds',
    `let dealt
     export default async ({ number, queues, run }) => {
       if (dealt !== queues) {
         dealt = queues
         const all = queues.flatMap((queue) => queue.splice(0))
         all.forEach((task, i) => queues[i % queues.length].push(task))
       }
       for (let task; (task = queues[number].shift()); ) await run(task)
     }`,
  ],
  'helping only the neighbour': [
    'fails',
    `export default async ({ number, queues, run }) => {
       const neighbour = queues[(number + 1) % queues.length]
       const take = () => queues[number].shift() ?? neighbour.shift()
       for (let task; (task = take()); ) await run(task)
     }`,
  ],
  'two at a time': [
    'fails',
    `export default async ({ number, queues, run }) => {
       const own = queues[number]
       while (own.length > 0) await Promise.all(own.splice(0, 2).map(run))
     }`,
  ],
  'a task that two workers take': [
    'fails',
    `export default async ({ queues, run }) => {
       for (const queue of queues) while (queue.length > 0) { await run(queue[0]); queue.shift() }
     }`,
  ],
  'going home at once': ['fails', `export default async () => {}`],
})
