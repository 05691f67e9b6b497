import { testGrades } from '../harness/testing.ts'
import { outbox } from './outbox.ts'

testGrades(outbox, {
  'one statement writes both rows; the relay takes one row a pass and deletes it': [
    'holds',
    `export default ({ sql, publish }) => ({
       placeOrder: ({ id, total }) => sql(
         \`WITH placed AS (INSERT INTO orders VALUES ($1, $2) RETURNING id)
          INSERT INTO outbox (id, order_id) SELECT 'm-' || id, id FROM placed\`, [id, total]),
       async relay() {
         const [message] = await sql('SELECT id, order_id FROM outbox ORDER BY id LIMIT 1')
         if (!message) return
         await publish({ id: message.id, orderId: message.order_id })
         await sql('DELETE FROM outbox WHERE id = $1', [message.id])
       },
     })`,
  ],
  'the order is its own outbox, published at once and again after a restart': [
    'holds',
    `export default ({ sql, publish }) => {
       const tell = async (id) => {
         await publish({ id, orderId: id })
         await sql('UPDATE outbox SET published = true WHERE id = $1', [id])
       }
       return {
         async placeOrder({ id, total }) {
           await sql('BEGIN')
           await sql('INSERT INTO outbox VALUES ($1, $1)', [id])
           await sql('INSERT INTO orders VALUES ($1, $2)', [id, total])
           await sql('COMMIT')
           await tell(id)
         },
         async relay() {
           for (const { id } of await sql('SELECT id FROM outbox WHERE NOT published')) await tell(id)
         },
       }
     }`,
  ],
  'whoever takes an order relays what is left, his own included': [
    'holds',
    `export default ({ sql, publish }) => {
       const relay = async () => {
         for (const { id } of await sql('SELECT id FROM outbox ORDER BY id')) {
           await publish({ id, orderId: id })
           await sql('DELETE FROM outbox WHERE id = $1', [id])
         }
       }
       return {
         relay,
         async placeOrder({ id, total }) {
           await sql('BEGIN')
           await sql('INSERT INTO orders VALUES ($1, $2)', [id, total])
           await sql('INSERT INTO outbox VALUES ($1, $1)', [id])
           await sql('COMMIT')
           await relay()
         },
       }
     }`,
  ],
  'published inside the transaction': [
    'fails',
    `export default ({ sql, publish }) => ({
       async placeOrder({ id, total }) {
         await sql('BEGIN')
         await sql('INSERT INTO orders VALUES ($1, $2)', [id, total])
         await publish({ id, orderId: id })
         await sql('COMMIT')
       },
     })`,
  ],
  'marked, then published': [
    'fails',
    `export default ({ sql, publish }) => ({
       async placeOrder({ id, total }) {
         await sql('BEGIN')
         await sql('INSERT INTO orders VALUES ($1, $2)', [id, total])
         await sql('INSERT INTO outbox VALUES ($1, $1)', [id])
         await sql('COMMIT')
       },
       async relay() {
         const waiting = await sql('UPDATE outbox SET published = true WHERE NOT published RETURNING id')
         for (const { id } of waiting) await publish({ id, orderId: id })
       },
     })`,
  ],
  'an outbox without the transaction': [
    'fails',
    `export default ({ sql, publish }) => ({
       async placeOrder({ id, total }) {
         await sql('INSERT INTO orders VALUES ($1, $2)', [id, total])
         await sql('INSERT INTO outbox VALUES ($1, $1)', [id])
       },
       async relay() {
         for (const { id } of await sql('SELECT id FROM outbox WHERE NOT published')) {
           await publish({ id, orderId: id })
           await sql('UPDATE outbox SET published = true WHERE id = $1', [id])
         }
       },
     })`,
  ],
  'a message that gets a new id each time it is sent': [
    'fails',
    `let n = 0
     export default ({ sql, publish }) => ({
       async placeOrder({ id, total }) {
         await sql('BEGIN')
         await sql('INSERT INTO orders VALUES ($1, $2)', [id, total])
         await sql('INSERT INTO outbox VALUES ($1, $1)', [id])
         await sql('COMMIT')
       },
       async relay() {
         for (const { id } of await sql('SELECT id FROM outbox WHERE NOT published')) {
           await publish({ id: process.pid + '-' + ++n, orderId: id })
           await sql('UPDATE outbox SET published = true WHERE id = $1', [id])
         }
       },
     })`,
  ],
  'nothing is written and nothing is told': ['fails', 'export default () => ({ placeOrder: async () => {} })'],
})
