import { testGrades } from '../harness/testing.ts'
import { payTwice } from './pay-twice.ts'

const table = (columns: string) => `await sql('CREATE TABLE IF NOT EXISTS keys (${columns})')`
const columns = 'customer text, key text, asked text, id text, at timestamptz DEFAULT clock_timestamp()'
const scoped = `${columns}, PRIMARY KEY (customer, key)`
const bill = `{ amount, reference }`
const asked = `JSON.stringify([amount, reference])`
const open = (body: string, made = scoped) =>
  `import { createHash } from 'node:crypto'
   const name = (...parts) => createHash('sha256').update(JSON.stringify(parts)).digest('hex')
   export default async ({ sql, transaction, charge }) => {
     ${table(made)}
     return async ({ customer, key, amount, reference }) => {
       const insert = 'INSERT INTO keys VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1'
       const select = 'SELECT asked, id FROM keys WHERE customer = $1 AND key = $2'
       const finish = 'UPDATE keys SET id = $3 WHERE customer = $1 AND key = $2'
       ${body}
     }
   }`

/** A key that is taken at first sight. Whoever finds it taken, and not finished, does `otherwise`. */
const taken = (otherwise: string) =>
  open(`const first = await sql(insert, [customer, key, ${asked}])
        const [stored] = await sql(select, [customer, key])
        if (stored.asked !== ${asked}) return { status: 422, body: {} }
        if (stored.id) return { status: 201, body: { id: stored.id } }
        if (first.length === 0) { ${otherwise} }
        const { id } = await charge(${bill}, name(customer, key))
        await sql(finish, [customer, key, id])
        return { status: 201, body: { id } }`)

testGrades(payTwice, {
  'a transaction that is open while the card is charged': [
    'holds',
    open(`return transaction(async (sql) => {
            const first = await sql(insert, [customer, key, ${asked}])
            if (first.length === 0) {
              const [stored] = await sql(select, [customer, key])
              return stored.asked === ${asked} ? { status: 201, body: { id: stored.id } } : { status: 422, body: {} }
            }
            const { id } = await charge(${bill}, name(customer, key))
            await sql(finish, [customer, key, id])
            return { status: 201, body: { id } }
          })`),
  ],
  '“come back later” while somebody is at it, for a second at most': [
    'holds',
    taken(`const stale = 'UPDATE keys SET at = clock_timestamp() WHERE customer = $1 AND key = $2 ' +
             "AND at < clock_timestamp() - interval '1 second' RETURNING 1"
           if ((await sql(stale, [customer, key])).length === 0) return { status: 409, body: {} }`),
  ],
  '“come back later”, for ever': ['fails', taken('return { status: 409, body: {} }')],
  'a key for the processor that is drawn at each try': [
    'fails',
    taken('').replace('name(customer, key)', 'String(Math.random())'),
  ],
  'keys that all customers share': [
    'fails',
    open(
      `const first = await sql(insert, [customer, key, ${asked}])
       const [stored] = await sql('SELECT asked, id FROM keys WHERE key = $1', [key])
       if (stored.asked !== ${asked}) return { status: 422, body: {} }
       if (stored.id) return { status: 201, body: { id: stored.id } }
       const { id } = await charge(${bill}, name(key))
       await sql(finish, [customer, key, id])
       return { status: 201, body: { id } }`,
      `${columns}, PRIMARY KEY (key)`,
    ),
  ],
  'nobody looks at what is asked under a key': [
    'fails',
    open(`const { id } = await charge(${bill}, name(customer, key, amount))
          return { status: 201, body: { id } }`),
  ],
  'remembered in the memory of each server': [
    'fails',
    `const paid = new Map()
     export default async ({ charge }) => ({ customer, key, amount, reference }) => {
       const name = customer + ' ' + key
       if (!paid.has(name)) paid.set(name, charge(${bill}))
       return paid.get(name).then(({ id }) => ({ status: 201, body: { id } }))
     }`,
  ],
  'never charging': ['fails', `export default async () => async () => ({ status: 201, body: { id: '1' } })`],
})
