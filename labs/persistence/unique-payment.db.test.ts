import { testGrades } from '../harness/testing.ts'
import { uniquePayment } from './unique-payment.ts'

const columns = 'payment_id text NOT NULL, customer text NOT NULL, amount integer NOT NULL'
const look = `await sql('SELECT 1 FROM payments WHERE payment_id = $1', [paymentId])`
const insert = `await sql('INSERT INTO payments VALUES ($1, $2, $3)', [paymentId, customer, amount])`

/** A table without a constraint, and a transaction. */
const inTransaction = (body: string) =>
  `export default async (sql) => {
     await sql('CREATE TABLE payments (${columns})')
     return ({ paymentId, customer, amount }, { transaction }) => transaction(async (sql) => { ${body} })
   }`

testGrades(uniquePayment, {
  'a primary key, and the duplicate found by its error': [
    'holds',
    `export default async (sql) => {
       await sql('CREATE TABLE payments (${columns}, PRIMARY KEY (payment_id))')
       return async ({ paymentId, customer, amount }, { sql }) => {
         try { ${insert}; return 'recorded' } catch (error) {
           if (error.code === '23505') return 'duplicate'
           throw error
         }
       }
     }`,
  ],
  'a lock for each payment before the look': [
    'holds',
    inTransaction(`await sql('SELECT pg_advisory_xact_lock(hashtext($1))', [paymentId])
                   if ((${look}).length > 0) return 'duplicate'
                   ${insert}
                   return 'recorded'`),
  ],
  'serializable, tried again': [
    'holds',
    `export default async (sql) => {
       await sql('CREATE TABLE payments (${columns})')
       const once = ({ paymentId, customer, amount }, { transaction }) => transaction(async (sql) => {
         await sql('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE')
         if ((${look}).length > 0) return 'duplicate'
         ${insert}
         return 'recorded'
       })
       return async (payment, database) => {
         for (;;) {
           try { return await once(payment, database) } catch (error) { if (error.code !== '40001') throw error }
         }
       }
     }`,
  ],
  'a transaction around look and write': [
    'fails',
    inTransaction(`if ((${look}).length > 0) return 'duplicate'
                   ${insert}
                   return 'recorded'`),
  ],
  'look and write in one statement': [
    'fails',
    `export default async (sql) => {
       await sql('CREATE TABLE payments (${columns})')
       return async ({ paymentId, customer, amount }, { sql }) => {
         const inserted = await sql('INSERT INTO payments SELECT $1, $2, $3::integer ' +
           'WHERE NOT EXISTS (SELECT 1 FROM payments WHERE payment_id = $1) RETURNING 1', [paymentId, customer, amount])
         return inserted.length > 0 ? 'recorded' : 'duplicate'
       }
     }`,
  ],
  'a constraint whose error nobody handles': [
    'fails',
    `export default async (sql) => {
       await sql('CREATE TABLE payments (${columns}, UNIQUE (payment_id))')
       return async ({ paymentId, customer, amount }, { sql }) => { ${insert}; return 'recorded' }
     }`,
  ],
  'recording nothing': [
    'fails',
    `export default async (sql) => {
       await sql('CREATE TABLE payments (${columns})')
       return async () => 'duplicate'
     }`,
  ],
})
