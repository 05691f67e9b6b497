import { testGrades } from '../harness/testing.ts'
import { retriesDlq } from './retries-dlq.ts'

/** A queue in a table; `failed` says what becomes of a message whose attempt number `attempts` failed with `error`. */
const queue = (failed: string) => `
  export default ({ sql, send, sleep, random }) => ({
    accept: (id) => sql('INSERT INTO queue (id) VALUES ($1)', [id]),
    async work() {
      for (;;) {
        const [next] = await sql('SELECT id, attempts FROM queue WHERE error IS NULL ORDER BY attempts, id LIMIT 1')
        if (!next) return
        const attempts = next.attempts + 1
        try {
          await send(next.id)
          await sql('DELETE FROM queue WHERE id = $1', [next.id])
        } catch ({ message: error }) {
          ${failed}
        }
      }
    },
    deadLetters: () => sql('SELECT id, error FROM queue WHERE error IS NOT NULL'),
    redrive: (id) => sql('UPDATE queue SET attempts = 0, error = NULL WHERE id = $1', [id]),
  })`

const retryUpTo = (most: number) => `
  if (attempts < ${most}) await sql('UPDATE queue SET attempts = $2 WHERE id = $1', [next.id, attempts])
  else await sql('UPDATE queue SET error = $2 WHERE id = $1', [next.id, error])`

testGrades(retriesDlq, {
  'attempts are counted in the table, and the fifth is the last': ['holds', queue(retryUpTo(5))],
  'all attempts of a message one after the other, with a backoff': [
    'holds',
    `export default ({ sql, send, sleep, random }) => {
       const dead = new Map()
       const waiting = []
       const deliver = async (id) => {
         for (let attempt = 1; ; attempt++) {
           try {
             return await send(id)
           } catch (error) {
             if (attempt === 6) return void dead.set(id, error)
             await sleep(random() * 2 ** attempt)
           }
         }
       }
       return {
         accept: async (id) => void waiting.push(id),
         async work() {
           await Promise.all(waiting.splice(0).map(deliver))
         },
         deadLetters: async () => [...dead].map(([id, error]) => ({ id, error: String(error) })),
         async redrive(id) {
           dead.delete(id)
           waiting.push(id)
         },
       }
     }`,
  ],
  'too few attempts: good messages end among the dead': ['fails', queue(retryUpTo(3))],
  'the last attempt is forgotten, and so is its error': [
    'fails',
    queue(`if (attempts < 5) await sql('UPDATE queue SET attempts = $2 WHERE id = $1', [next.id, attempts])
           else await sql('DELETE FROM queue WHERE id = $1', [next.id])`),
  ],
  'dead letters that do not say why': [
    'fails',
    queue(retryUpTo(5)).replace('error FROM queue', 'NULL AS error FROM queue'),
  ],
  'a redrive that does nothing': ['fails', queue(retryUpTo(5)).replace('redrive: (id) => sql(', 'redrive: (id) => (')],
  'retried for ever, but behind the others': [
    'fails',
    queue(`await sql('UPDATE queue SET attempts = $2 WHERE id = $1', [next.id, attempts])`),
  ],
  'each one sent twice': [
    'fails',
    queue(retryUpTo(5)).replace('await send(next.id)', 'await send(next.id); await send(next.id)'),
  ],
  'a queue that takes nothing': [
    'fails',
    `export default () => ({ accept: async () => {}, work: async () => {}, deadLetters: async () => [], redrive: async () => {} })`,
  ],
})
