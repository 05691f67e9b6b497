import { testGrades } from '../harness/testing.ts'
import { dataRace } from './data-race.ts'

testGrades(dataRace, {
  'a cell for each thread, added up by messages': [
    'holds',
    `export default ({ memory, times, send }) => {
       const mine = Atomics.add(memory, 15, 1) + 1
       for (let i = 0; i < times; i++) memory[mine] += 1
       send(memory[mine])
     }`,
  ],
  'compare and exchange, with a pause in the middle': [
    'holds',
    `export default ({ memory, times, pause }) => {
       for (let i = 0; i < times; i++) {
         for (;;) {
           const seen = Atomics.load(memory, 0)
           pause()
           if (Atomics.compareExchange(memory, 0, seen, seen + 1) === seen) break
         }
       }
     }`,
  ],
  'a message for each increment': [
    'holds',
    `export default ({ times, send }) => { for (let i = 0; i < times; i++) send(1) }`,
  ],
  'all at once': ['holds', `export default ({ memory, times }) => void Atomics.add(memory, 0, times)`],
  'without a pause it is lost all the same': [
    'fails',
    `export default ({ memory, times }) => { for (let i = 0; i < times; i++) memory[0] += 1 }`,
  ],
  'an atomic load and an atomic store are not one atomic step': [
    'fails',
    `export default ({ memory, times, pause }) => {
       for (let i = 0; i < times; i++) {
         const seen = Atomics.load(memory, 0)
         pause()
         Atomics.store(memory, 0, seen + 1)
       }
     }`,
  ],
  'a lock that is looked at and then taken': [
    'fails',
    `export default ({ memory, times, pause }) => {
       for (let i = 0; i < times; i++) {
         while (Atomics.load(memory, 1) === 1) {}
         pause()
         Atomics.store(memory, 1, 1)
         memory[0] += 1
         Atomics.store(memory, 1, 0)
       }
     }`,
  ],
  'not counting': ['fails', `export default () => {}`],
  'it throws': ['fails', `export default () => { throw new Error('no') }`],
})
