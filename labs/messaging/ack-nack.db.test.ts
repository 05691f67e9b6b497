import { vi } from 'vitest'
import { testGrades } from '../harness/testing.ts'
import { ackNack } from './ack-nack.ts'

// A lab starts up to twenty processes, which takes its time where others want the processor as well.
vi.setConfig({ testTimeout: 60_000 })

testGrades(ackNack, {
  'never refusing: what failed comes back when its lease ends': [
    'holds',
    `export default async ({ receive, ack }, handle) => {
       for (let message = await receive(); message; message = await receive()) {
         const done = await handle(message).then(() => true, () => false)
         if (done) await ack(message)
       }
     }`,
  ],
  'acknowledging whatever comes of it': [
    'fails',
    `export default async ({ receive, ack }, handle) => {
       for (let message = await receive(); message; message = await receive()) {
         try { await handle(message) } catch {} finally { await ack(message) }
       }
     }`,
  ],
  'refusing what it has acknowledged': [
    'fails',
    `export default async ({ receive, ack, nack }, handle) => {
       for (let message = await receive(); message; message = await receive()) {
         await ack(message)
         await handle(message).catch(() => nack(message))
       }
     }`,
  ],
  'taking nothing': ['fails', 'export default async () => {}'],
})
