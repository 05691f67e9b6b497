import { testGrades } from '../harness/testing.ts'
import { strongEventual } from './strong-eventual.ts'

const update = `await primary('UPDATE prices SET price = $1', [price])`
const read = (server: string) => `(await ${server}('SELECT price FROM prices'))[0].price`
const pause = 'await new Promise((resolve) => setTimeout(resolve, 5))'

testGrades(strongEventual, {
  'the standby asked again until it shows what the token says': [
    'holds',
    `export default ({ primary, standby }) => ({
       async write(price) { ${update}; return String(price) },
       async read(token) {
         for (;;) {
           const price = ${read('standby')}
           if (price === Number(token)) return price
           ${pause}
         }
       },
     })`,
  ],
  'the writer waits until the standby shows it': [
    'holds',
    `export default ({ primary, standby }) => ({
       async write(price) {
         ${update}
         while (${read('standby')} !== price) ${pause}
       },
       read: async () => ${read('standby')},
     })`,
  ],
  'the primary, asked when the standby is behind': [
    'holds',
    `export default ({ primary, standby }) => ({
       async write(price) { ${update}; return (await primary('SELECT pg_current_wal_lsn() AS at'))[0].at },
       async read(token) {
         const [{ there }] = await standby('SELECT pg_last_wal_replay_lsn() >= $1 AS there', [token])
         return there ? ${read('standby')} : ${read('primary')}
       },
     })`,
  ],
  'a position taken before the write': [
    'fails',
    `export default ({ primary, standby }) => ({
       async write(price) {
         const [{ at }] = await primary('SELECT pg_current_wal_lsn() AS at')
         ${update}
         return at
       },
       async read(token) {
         while (!(await standby('SELECT pg_last_wal_replay_lsn() >= $1 AS there', [token]))[0].there) ${pause}
         return ${read('standby')}
       },
     })`,
  ],
  'a pause that was long enough yesterday': [
    'fails',
    `export default ({ primary, standby }) => ({
       async write(price) { ${update} },
       async read() { ${pause}; return ${read('standby')} },
     })`,
  ],
  'a COMMIT that waits for the standby’s disk, not for its replay': [
    'fails',
    `export default ({ primary, standby }) => ({
       async write(price) { await primary('SET synchronous_commit = on'); ${update} },
       read: async () => ${read('standby')},
     })`,
  ],
  'writing nothing': [
    'fails',
    `export default ({ primary }) => ({ write: async () => undefined, read: async () => ${read('primary')} })`,
  ],
})
