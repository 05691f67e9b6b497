import { vi } from 'vitest'
import { testGrades } from '../harness/testing.ts'
import { accepted } from './accepted.ts'

// A lab starts up to twenty processes, which takes its time where others want the processor as well.
vi.setConfig({ testTimeout: 60_000 })

testGrades(accepted, {
  'the order and a job in one transaction, and a loop that resumes': [
    'holds',
    `export default ({ sql, transaction, charge }) => {
       const work = async () => {
         for (;;) {
           const [job] = await sql('SELECT id, order_id FROM jobs ORDER BY id LIMIT 1')
           if (!job) return
           await charge(job.order_id)
           await transaction(async (sql) => {
             await sql("UPDATE orders SET status = 'paid' WHERE id = $1", [job.order_id])
             await sql('DELETE FROM jobs WHERE id = $1', [job.id])
           })
         }
       }
       return {
         resume: work,
         async post(order, answer) {
           await transaction(async (sql) => {
             await sql("INSERT INTO orders VALUES ($1, 'placed')", [order])
             await sql('INSERT INTO jobs (order_id) VALUES ($1)', [order])
           })
           await answer(202)
           await work()
         },
       }
     }`,
  ],
  'the order itself is the job, and nobody waits for what resumes': [
    'holds',
    `export default ({ sql, charge }) => {
       let working = Promise.resolve()
       const work = async () => {
         const open = await sql("SELECT id FROM orders WHERE status = 'placed'")
         for (const { id } of open) {
           await charge(id)
           await sql("UPDATE orders SET status = 'paid' WHERE id = $1", [id])
         }
       }
       return {
         async resume() { working = working.then(work) },
         async post(order, answer) {
           await sql("INSERT INTO orders VALUES ($1, 'placed')", [order])
           await answer(201)
           working = working.then(work)
         },
       }
     }`,
  ],
  'a job in the database that nobody takes up again': [
    'fails',
    `export default ({ sql, charge }) => ({
       async post(order, answer) {
         await sql("INSERT INTO orders VALUES ($1, 'placed')", [order])
         await answer(202)
         await charge(order)
         await sql("UPDATE orders SET status = 'paid' WHERE id = $1", [order])
       },
     })`,
  ],
  'the answer before the COMMIT': [
    'fails',
    `export default ({ sql, transaction, charge }) => {
       const work = async () => {
         for (const { id } of await sql("SELECT id FROM orders WHERE status = 'placed'")) {
           await charge(id)
           await sql("UPDATE orders SET status = 'paid' WHERE id = $1", [id])
         }
       }
       return {
         resume: work,
         async post(order, answer) {
           await transaction(async (sql) => {
             await sql("INSERT INTO orders VALUES ($1, 'placed')", [order])
             await answer(202)
           })
           await work()
         },
       }
     }`,
  ],
  'refusing everybody': ['fails', 'export default () => ({ post: (order, answer) => answer(503) })'],
})
