import { testGrades } from '../harness/testing.ts'
import { messagePassing } from './message-passing.ts'

testGrades(messagePassing, {
  'a lock around both steps': [
    'holds',
    `export default ({ name, wants, memory, pause }) => {
       if (name === 'owner') return 0
       let bought = 0
       for (let i = 0; i < wants; i++) {
         while (Atomics.compareExchange(memory, 1, 0, 1) !== 0) Atomics.wait(memory, 1, 1, 1)
         if (memory[0] > 0) {
           pause()
           memory[0] -= 1
           bought += 1
         }
         Atomics.store(memory, 1, 0)
         Atomics.notify(memory, 1)
       }
       return bought
     }`,
  ],
  'take one, and give it back when there was none': [
    'holds',
    `export default ({ name, wants, memory, pause }) => {
       if (name === 'owner') return 0
       let bought = 0
       for (let i = 0; i < wants; i++) {
         pause()
         if (Atomics.sub(memory, 0, 1) > 0) bought += 1
         else Atomics.add(memory, 0, 1)
       }
       return bought
     }`,
  ],
  'an actor that sells by the dozen': [
    'holds',
    `export default async ({ name, wants, memory, send, receive }) => {
       if (name === 'owner') {
         let left = memory[0]
         for (let asked; (asked = await receive()); ) {
           const sold = Math.min(left, asked.wants)
           left -= sold
           send(asked.from, sold)
         }
         return left
       }
       let bought = 0
       for (;;) {
         send('owner', { from: name, wants: Math.min(12, wants - bought) })
         const sold = await receive()
         bought += sold
         if (sold === 0 || bought === wants) return bought
       }
     }`,
  ],
  'the owner sells, but the buyers look by themselves': [
    'fails',
    `export default async ({ name, wants, memory, send, receive, pause }) => {
       if (name === 'owner') {
         for (let asked; (asked = await receive()); ) {
           Atomics.sub(memory, 0, 1)
           send(asked.from, true)
         }
         return 0
       }
       let bought = 0
       while (bought < wants && Atomics.load(memory, 0) > 0) {
         pause()
         send('owner', { from: name })
         await receive()
         bought += 1
       }
       return bought
     }`,
  ],
  'a plain look, an atomic step': [
    'fails',
    `export default ({ name, wants, memory, pause }) => {
       if (name === 'owner') return 0
       let bought = 0
       while (bought < wants && memory[0] > 0) {
         pause()
         Atomics.sub(memory, 0, 1)
         bought += 1
       }
       return bought
     }`,
  ],
  'buying nothing': ['fails', `export default () => 0`],
  'writing to somebody who is not there': ['fails', `export default ({ send }) => { send('nobody', 1); return 0 }`],
})
