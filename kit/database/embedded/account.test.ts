import { expect, test } from 'vitest'
import { chooseAccount } from './account.ts'

const passwd = `root:x:0:0:root:/root:/bin/bash
postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin`

const asRoot = process.getuid?.() === 0

test.runIf(asRoot)('root hands the server to the owner of the data, else to postgres, else to nobody', () => {
  expect(chooseAccount(undefined, passwd)).toEqual({ name: 'postgres', uid: 101, gid: 104, switched: true })
  expect(chooseAccount(undefined, passwd.replace(/^postgres.*\n/m, ''))).toMatchObject({ name: 'nobody', uid: 65534 })
  expect(chooseAccount(undefined, '')).toMatchObject({ name: 'nobody', uid: 65534, gid: 65534 })
  expect(chooseAccount({ uid: 1000, gid: 1001 }, passwd)).toMatchObject({ uid: 1000, gid: 1001, switched: true })
})

test.runIf(!asRoot)('anybody else runs it as oneself, and leaves the data of others alone', () => {
  const uid = process.getuid?.() ?? 0
  expect(chooseAccount(undefined, passwd)).toMatchObject({ uid, switched: false })
  expect(() => chooseAccount({ uid: uid + 1, gid: 1 }, passwd)).toThrow(`belongs to the user with id ${uid + 1}`)
})
