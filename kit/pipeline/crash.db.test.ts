/** kill -9 between any two statements of a transaction leaves all of it or nothing, and another worker finishes: effect once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyBatch, crashFile } from './testing-crash.ts'
import { added, counters, openWorld, send, until, wholeLog, type Counter, type World } from './testing.ts'

/** The batch's statements: BEGIN, now, cursors, rows, parked keys, insert, update, move, park, append, COMMIT. */
const COMMIT = 11

const root = fileURLToPath(new URL('../..', import.meta.url))
const groupOf = (point: number) => `killed${point}`

/** Runs a process that dies when the last of these groups has sent so many statements. Gives how it ended. */
async function crash({ url, lanes }: World, ...points: readonly number[]): Promise<NodeJS.Signals | number | null> {
  const args = points.map((point) => `${groupOf(point)}=${point}`)
  const child = spawn(process.execPath, ['--import', 'tsx', crashFile, url!, String(lanes), ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return signal ?? code
}

/** What a group has applied and parked, in one line. */
async function stateOf(world: World, group: string): Promise<string> {
  const rows: Counter[] = await world.tally.rows(counters)
  const mine = rows
    .filter(({ key }) => key.startsWith(`${group}/`))
    .map(({ key, history }) => `${key.split('/')[1]} ${history.join()}`)
  const parked = (await world.tally.groups.parked(group, 10)).map(({ key, messages }) => `${key} ${messages}`)
  const cursors = await world.tally.groups.cursors(group)
  const applied = cursors.reduce((sum, { position }) => sum + position, 0)
  const counted = (await wholeLog(world.tally)).filter(({ key }) => key.startsWith(`${group}/`)).length
  return `${mine.join('; ')} | parked ${parked.toSorted().join('; ')} | ${applied} behind the cursors | counted ${counted}`
}

const nothing = 'old 1 | parked poison 1 | 2 behind the cursors | counted 1'
const everything = 'new 1; old 1,2 | parked poison 2; poison2 1 | 6 behind the cursors | counted 3'

let world: World
beforeAll(async () => {
  world = await openWorld('postgres')
})
afterAll(() => world.close())

it('I5 I6 leaves all or nothing after every statement, and the next worker applies it once', async () => {
  const points = Array.from({ length: COMMIT + 1 }, (_, i) => i + 1)
  await send(world.upstream, added('old', 1), added('poison', 1))
  for (const point of points) {
    await world.tally.groups.ensure(groupOf(point), ['upstream'], world.lanes)
    await applyBatch(world, groupOf(point))
  }
  await send(world.upstream, added('old', 2), added('new', 1), added('poison', 2), added('poison2', 1))

  // With one statement more than there are a transaction ends, so all the others died within theirs. It comes first, and
  // COMMIT has a process of its own: the one that has appended holds the heads of the log until it is dead.
  const beforeCommit = points.filter((point) => point < COMMIT)
  const ends = await Promise.all([crash(world, ...beforeCommit), crash(world, COMMIT + 1, COMMIT)])
  expect(ends).toEqual(['SIGKILL', 'SIGKILL'])
  const backends = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()`
  await until('the backends of the dead are gone', async () => (await world.sql(backends)).length === 0)

  for (const point of points) {
    const found = await stateOf(world, groupOf(point))
    // Whether a COMMIT on its way is still read when its sender is gone is up to the two kernels: all or nothing, either way.
    const allowed = point < COMMIT ? [nothing] : point === COMMIT ? [nothing, everything] : [everything]
    expect(allowed.map((state) => `${point}: ${state}`)).toContain(`${point}: ${found}`)
    expect(await applyBatch(world, groupOf(point))).toBe(found === nothing ? 4 : 0)
    expect(await stateOf(world, groupOf(point))).toBe(everything)
  }
})
