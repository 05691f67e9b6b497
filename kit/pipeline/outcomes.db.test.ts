import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CommandQueue } from './commands.ts'
import { outcomeSource } from './outcomes.ts'
import { add } from './testing-commands.ts'
import { jobService } from './testing-jobs.ts'
import { outcomeSuite } from './testing-outcomes.ts'
import { counters, makePipeline, openWorld, until, type World } from './testing.ts'

describe('outcomes over PostgreSQL', () => {
  outcomeSuite(async () => {
    const world = await openWorld('postgres')
    // The server's clock cannot be moved, so everything that waits for it is.
    const earlier = `UPDATE tally.tasks SET due_at = due_at - $1 * interval '1 ms'`
    return { world, pass: async (ms) => void (await world.sql(earlier, [ms])) }
  })
})

describe('a timer that fires while somebody moves it', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorld('postgres')
  })
  afterAll(() => world.close())

  it('does not deadlock: who moves it holds its rows, and the firing waits for them without holding the timer', async () => {
    const pauses: number[] = []
    const timers = { sleep: async (ms: number) => void pauses.push(ms), after: () => () => undefined }
    const pipeline = makePipeline(world.tally, jobService, { timers })
    const queue = new CommandQueue(pipeline)
    const begin = (inMs: number) =>
      queue.submit(add({ key: 'a' }, undefined, { type: 'Start', data: { key: 'a', ring: { inMs } } }))
    await begin(0)
    const [task] = await world.tally.queue.claim(['bell'], 1, 30_000)
    // The mover stops half-way: its row is changed, the timer not yet moved.
    await world.sql(`CREATE FUNCTION tally.pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$;
      CREATE TRIGGER pause AFTER UPDATE ON tally.counters FOR EACH ROW EXECUTE FUNCTION tally.pause()`)
    await world.sql('SELECT pg_advisory_lock(7)')
    const moving = begin(60_000)
    const waiting = (count: number) => async () =>
      (await world.sql(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
        .length === count
    await until('the mover waits', waiting(1))
    const source = outcomeSource({ effects: new Map(), random: { next: () => 0 } })
    const firing = pipeline.run(source, [{ task: task!, outcome: { kind: 'due' } }])
    await until('the firing waits for the row', waiting(2))
    await world.sql('SELECT pg_advisory_unlock(7)')
    await moving
    // The timer was moved, so the firing finds that it is no longer its own.
    expect(await firing).toEqual([])
    expect(pauses).toEqual([])
    expect(await world.tally.queue.find('bell of a')).toMatchObject({ state: 'open', attempt: 0 })
    expect(await world.tally.rows(counters)).toMatchObject([{ key: 'a', value: 0 }])
  })
})
