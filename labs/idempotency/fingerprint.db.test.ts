import { testGrades } from '../harness/testing.ts'
import { fingerprint } from './fingerprint.ts'

/** Payments by a name, with what was asked under it. `key` and `asked` are expressions. */
const byName = (name: string, asked: string, type = 'text') =>
  `export default async ({ sql }) => {
     await sql('CREATE TABLE payments (id text PRIMARY KEY, customer text, amount integer, asked ${type})')
     return async ({ customer, key, body }) => {
       const id = JSON.stringify(${name})
       await sql('INSERT INTO payments VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [id, customer, body.amount, ${asked}])
       const [{ same }] = await sql('SELECT asked = $2::${type} AS same FROM payments WHERE id = $1', [id, ${asked}])
       return same ? { status: 201, id } : { status: 422 }
     }
   }`

testGrades(fingerprint, {
  'PostgreSQL compares the bodies, as jsonb': ['holds', byName('[customer, key]', 'JSON.stringify(body)', 'jsonb')],
  'the bodies compared as text': ['fails', byName('[customer, key]', 'JSON.stringify(body)')],
  'keys that all customers share': ['fails', byName('[key]', 'JSON.stringify(body)', 'jsonb')],
  'a name made of key and body': ['fails', byName('[customer, key, body.amount]', 'JSON.stringify(body)', 'jsonb')],
  'one payment for each body, for ever': ['fails', byName('[customer, body.amount]', 'JSON.stringify(body)', 'jsonb')],
  'another id at each retry': [
    'fails',
    byName('[customer, key]', 'JSON.stringify(body)', 'jsonb').replace(
      '{ status: 201, id }',
      '{ status: 201, id: String(Math.random()) }',
    ),
  ],
  'refusing everything': [
    'fails',
    `export default async ({ sql }) => {
       await sql('CREATE TABLE payments (id text, customer text, amount integer)')
       return async () => ({ status: 422 })
     }`,
  ],
})
