import { testGrades } from '../harness/testing.ts'
import { statelessStateful } from './stateless-stateful.ts'

testGrades(statelessStateful, {
  'one row for each basket': [
    'holds',
    `export default ({ sql }) => {
       const ready = sql('CREATE TABLE IF NOT EXISTS baskets (customer text PRIMARY KEY, basket jsonb)').catch(() => {})
       return async ({ customer, add }) => {
         await ready
         const [{ basket }] = await sql(
           \`INSERT INTO baskets VALUES ($1, $2) ON CONFLICT (customer)
             DO UPDATE SET basket = baskets.basket || excluded.basket RETURNING basket\`,
           [customer, JSON.stringify([add])],
         )
         return { basket }
       }
     }`,
  ],
  'a name in the cookie, the basket in the database': [
    'holds',
    `export default ({ sql }) => async ({ customer, add, cookie = customer }) => {
       await sql('INSERT INTO items (customer, item) VALUES ($1, $2)', [cookie, add])
       const rows = await sql('SELECT item FROM items WHERE customer = $1', [cookie])
       return { basket: rows.map(({ item }) => item), cookie }
     }`,
  ],
  'a sealed cookie': [
    'holds',
    `import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
     export default ({ secret }) => {
       const key = createHash('sha256').update(secret).digest()
       return async ({ add, cookie }) => {
         let basket = []
         if (cookie) {
           const [iv, text, tag] = cookie.split('.').map((part) => Buffer.from(part, 'hex'))
           const open = createDecipheriv('aes-256-gcm', key, iv).setAuthTag(tag)
           basket = JSON.parse(Buffer.concat([open.update(text), open.final()]).toString())
         }
         basket.push(add)
         const iv = randomBytes(12)
         const seal = createCipheriv('aes-256-gcm', key, iv)
         const text = Buffer.concat([seal.update(JSON.stringify(basket)), seal.final()])
         return { basket, cookie: [iv, text, seal.getAuthTag()].map((part) => part.toString('hex')).join('.') }
       }
     }`,
  ],
  'a cookie that nobody signed': [
    'fails',
    `export default () => async ({ add, cookie = '[]' }) => {
       const basket = [...JSON.parse(cookie), add]
       return { basket, cookie: JSON.stringify(basket) }
     }`,
  ],
  'a cookie whose signature may be missing': [
    'fails',
    `import { createHmac } from 'node:crypto'
     export default ({ secret }) => {
       const sign = (text) => createHmac('sha256', secret).update(text).digest('hex')
       return async ({ add, cookie = '' }) => {
         const [text, signature] = cookie.split('.')
         if (signature !== undefined && signature !== sign(text)) throw new Error('forged')
         const basket = [...(text ? JSON.parse(Buffer.from(text, 'base64url').toString()) : []), add]
         const next = Buffer.from(JSON.stringify(basket)).toString('base64url')
         return { basket, cookie: next + '.' + sign(next) }
       }
     }`,
  ],
  'read from the database once, kept in memory then': [
    'fails',
    `export default ({ sql }) => {
       const baskets = new Map()
       return async ({ customer, add }) => {
         if (!baskets.has(customer)) {
           const rows = await sql('SELECT item FROM items WHERE customer = $1', [customer])
           baskets.set(customer, rows.map(({ item }) => item))
         }
         await sql('INSERT INTO items (customer, item) VALUES ($1, $2)', [customer, add])
         baskets.get(customer).push(add)
         return { basket: baskets.get(customer) }
       }
     }`,
  ],
  'nothing is kept': ['fails', 'export default () => async ({ add }) => ({ basket: [add] })'],
  'it throws': ['fails', `export default () => async () => { throw new Error('no') }`],
  'it does not start': ['fails', `export default () => { throw new Error('no') }`],
})
