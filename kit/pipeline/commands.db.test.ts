import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callerFile, type CallerReport } from './testing-caller.ts'
import { commandSuite } from './testing-commands.ts'
import { counters, openWorld, wholeLog, type World } from './testing.ts'

describe('commands over PostgreSQL', () => {
  let world: World
  commandSuite(async () => {
    world = await openWorld('postgres')
    // The server's clock cannot be moved, so what waits for it is.
    const older = `UPDATE tally.idempotency_keys SET expires_at = expires_at - $1 * interval '1 ms'`
    return { world, pass: async (ms) => void (await world.sql(older, [ms])) }
  })
})

describe('commands of two real processes', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  let world: World
  beforeAll(async () => {
    world = await openWorld('postgres')
  })
  afterAll(() => world.close())

  /** A caller that waits for `go`. */
  async function caller(key: string, count: number) {
    const args = ['--import', 'tsx', callerFile, world.url!, String(world.lanes), 'a', key, String(count)]
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe('ready')
    return async (): Promise<CallerReport> => {
      child.stdin.write('go\n')
      const { value } = await lines.next()
      return JSON.parse(value as string) as CallerReport
    }
  }

  it('I9 one key raced by 100 callers has one effect and one answer', async () => {
    const start = await Promise.all([caller('key', 50), caller('key', 50)])
    const [mine, theirs] = await Promise.all(start.map((go) => go()))
    expect(mine!.decided + theirs!.decided).toBe(1)
    expect(mine!.replayed + theirs!.replayed).toBe(99)
    expect(mine!.replies).toHaveLength(1)
    expect(theirs!.replies).toEqual(mine!.replies)
    expect(await world.tally.rows(counters)).toMatchObject([{ key: 'a', value: 1 }])
    expect(await wholeLog(world.tally)).toHaveLength(1)
    expect(await world.sql('SELECT count(*)::int AS keys FROM tally.idempotency_keys')).toEqual([{ keys: 1 }])
  })
})
