import { describe, expect, it } from 'vitest'
import { Signal } from '../core/signal.ts'
import { done, retry, type EffectContext, type Outcome } from './outcome.ts'
import type { TaskQueue } from './port.ts'
import { effect, effects, LEASE_MS, never, openRunner } from './testing-runner.ts'

describe('the runner of tasks', () => {
  it('performs what is due with its key, its attempt and its data, and settles the answer', async () => {
    const bench = await openRunner()
    const seen: unknown[] = []
    const runner = bench.start(
      effects(
        effect(async (data, { key, attempt, requestId }) => {
          seen.push({ data, key, attempt, requestId })
          return done({ sent: true })
        }),
      ),
    )
    await bench.enqueue({ id: 'a', data: { to: 'ana' } })
    await bench.time.advance(1000)
    expect(seen).toEqual([{ data: { to: 'ana' }, key: 'a', attempt: 1, requestId: 'r' }])
    expect(bench.finished.map(({ outcome }) => outcome)).toEqual([{ kind: 'done', result: { sent: true } }])
    expect(await bench.stateOf('a')).toBe('done')
    await runner.stop()
    expect([bench.time.pending, bench.errors]).toEqual([0, []])
  })

  it('starts at once when it is woken, and at the very moment when something becomes due', async () => {
    const bench = await openRunner()
    const startedAt: number[] = []
    const runner = bench.start(effects(effect(async () => (startedAt.push(bench.time.monotonic()), done()))))
    await bench.time.advance(5500)
    await bench.enqueue({ id: 'a' }, { id: 'b', dueAt: bench.time.now() + 250 })
    bench.wake.notify()
    await bench.time.advance(2000)
    expect(startedAt).toEqual([5500, 5750])
    await runner.stop()
  })

  it('sees within five seconds what nobody told it of, and asks no more often than that', async () => {
    const bench = await openRunner()
    const runner = bench.start(effects(effect(async () => done())))
    await bench.time.advance(25_500)
    expect(bench.counts.claims).toBeLessThanOrEqual(12)
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(5000)
    expect(await bench.stateOf('a')).toBe('done')
    await runner.stop()
  })

  it('does not spin when what is due is held by somebody else', async () => {
    const bench = await openRunner()
    await bench.enqueue({ id: 'a' })
    const [task] = await bench.world.tally.queue.claim(['mail'], 1, 0)
    const holder = await bench.world.tally.transactions.begin()
    await holder.tasks.lock([task!])
    const runner = bench.start(effects(effect(async () => done())))
    await bench.time.advance(1000)
    expect(bench.counts.claims).toBeLessThanOrEqual(101)
    await holder.rollback()
    await bench.time.advance(1000)
    expect(await bench.stateOf('a')).toBe('done')
    await runner.stop()
  })
})

describe('R1 the lease', () => {
  it('is extended while the effect runs: of two runners one does the work, once', async () => {
    const bench = await openRunner()
    let running = 0
    let most = 0
    let runs = 0
    const slow = effects(
      effect(async () => {
        runs++
        most = Math.max(most, ++running)
        await bench.time.sleep(200_000)
        running--
        return done()
      }),
    )
    const runners = [bench.start(slow), bench.start({ ...slow, wake: new Signal(bench.time) })]
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(250_000)
    expect({ runs, most, state: await bench.stateOf('a') }).toEqual({ runs: 1, most: 1, state: 'done' })
    for (const runner of runners) await runner.stop()
  })

  it('lost goes to another, and the late answer changes nothing (I11)', async () => {
    const bench = await openRunner()
    // As in a process that is paused: nothing of it reaches the database until its effect answers.
    let paused = false
    const queue: TaskQueue = {
      ...bench.queue,
      claim: async (...args) => (paused ? [] : bench.queue.claim(...args)),
      extend: () => new Promise(() => undefined),
    }
    const late: Outcome[] = []
    const slow = effect(async () => {
      paused = true
      await bench.time.sleep(50_000)
      late.push(done({ by: 'the late one' }))
      return late[0]!
    })
    const { stopped } = bench.start({ ...effects(slow), queue })
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(1000)
    const quick = bench.start({
      ...effects(effect(async () => done({ by: 'the quick one' }))),
      wake: new Signal(bench.time),
    })
    await bench.time.advance(100_000)
    expect(late).toHaveLength(1)
    expect(bench.finished.map(({ outcome }) => outcome)).toEqual([done({ by: 'the quick one' })])
    await quick.stop()
    void stopped
  })

  it('that the queue no longer knows aborts the effect at the next heartbeat', async () => {
    const bench = await openRunner()
    let reason: unknown
    const runner = bench.start({
      ...effects(
        effect((_, { signal }) => {
          signal.addEventListener('abort', () => (reason = signal.reason))
          return never
        }),
      ),
      queue: { ...bench.queue, extend: async () => [] },
    })
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(LEASE_MS / 3 + 1000)
    expect(reason).toEqual(new Error('the lease was lost'))
    await runner.stop()
  })

  it('that cannot be extended because the database is away aborts the effect when it is over, and not before', async () => {
    const bench = await openRunner()
    const abortedAt: number[] = []
    const runner = bench.start({
      ...effects(
        effect((_, { signal }) => {
          signal.addEventListener('abort', () => abortedAt.push(bench.time.monotonic()))
          return never
        }),
      ),
      queue: { ...bench.queue, extend: () => Promise.reject(new Error('away')) },
    })
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(2 * LEASE_MS)
    expect(abortedAt).toHaveLength(1)
    expect(abortedAt[0]).toBeGreaterThanOrEqual(LEASE_MS - 10_000)
    expect(abortedAt[0]).toBeLessThanOrEqual(LEASE_MS + 10_000)
    expect(bench.errors[0]).toEqual(new Error('away'))
    bench.queue = { ...bench.queue, extend: async () => [] }
    await runner.stop()
  })
})

const thrower = () => {
  // oxlint-disable-next-line typescript/only-throw-error -- an effect may throw anything
  throw 'text'
}

describe('R2 an effect whose outcome is unknown', () => {
  it.each<[string, () => Promise<Outcome>, string]>([
    ['throws', () => Promise.reject(new Error('connection reset')), 'connection reset'],
    ['throws what is no error', () => Promise.resolve().then(thrower), 'text'],
    ['answers nothing', () => Promise.resolve(undefined as never), 'mail gave no outcome'],
    ['answers nonsense', () => Promise.resolve({ kind: 'ok' } as never), 'mail gave no outcome'],
    ['never answers', () => never, 'no answer within 5000 ms'],
  ])('because it %s is tried again with the same key', async (_, answer, reason) => {
    const bench = await openRunner()
    const keys: string[] = []
    let count = 0
    const run = (__: object, { key }: EffectContext) => {
      keys.push(key)
      return ++count === 1 ? answer() : Promise.resolve(done())
    }
    const runner = bench.start(effects(effect(run, { timeoutMs: 5000, concurrency: 1 })))
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(10_000)
    expect(keys).toEqual(['a', 'a'])
    expect(bench.finished.map(({ outcome }) => outcome)).toEqual([retry(reason), done()])
    await runner.stop()
    expect(bench.time.pending).toBe(0)
  })

  it('because it throws at once, without a promise, too', async () => {
    const bench = await openRunner()
    const runner = bench.start(
      effects(
        effect(() => {
          throw new TypeError('a bug')
        }),
      ),
    )
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(1500)
    expect(bench.finished[0]?.outcome).toEqual(retry('a bug'))
    await runner.stop()
  })
})

describe('R3 an answer that cannot be settled', () => {
  it('is kept while the database is away, and settled later; the effect is not run again', async () => {
    const bench = await openRunner()
    let runs = 0
    const runner = bench.start(effects(effect(async () => (runs++, done()))))
    bench.settleError = new Error('away')
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(LEASE_MS / 2)
    expect(await bench.stateOf('a')).toBe('open')
    bench.settleError = undefined
    await bench.time.advance(1000)
    expect([await bench.stateOf('a'), runs]).toEqual(['done', 1])
    expect(bench.errors.length).toBeGreaterThan(10)
    await runner.stop()
  })

  it('is dropped after the lease; the provider is asked again with the same key', async () => {
    const bench = await openRunner()
    const keys: string[] = []
    const runner = bench.start(effects(effect(async (_, { key }) => (keys.push(key), done()))))
    bench.settleError = new Error('away')
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(LEASE_MS + 5000)
    bench.settleError = undefined
    await bench.time.advance(LEASE_MS + 5000)
    expect(await bench.stateOf('a')).toBe('done')
    expect(new Set(keys)).toEqual(new Set(['a']))
    expect(keys.length).toBeGreaterThan(1)
    await runner.stop()
  })

  it('none is forgotten, whenever it comes', async () => {
    const bench = await openRunner()
    // Answers that arrive while another group settles, and in the turn in which it ends.
    const run = async (data: object) => {
      for (let turns = (data as { turns: number }).turns; turns > 0; turns--) await Promise.resolve()
      return done()
    }
    const runner = bench.start(effects(effect(run, { concurrency: 3 })))
    await bench.enqueue(...Array.from({ length: 300 }, (_, i) => ({ id: `a${i}`, data: { turns: i % 60 } })))
    bench.wake.notify()
    await bench.time.advance(500)
    expect(new Set(bench.finished.map(({ task }) => task.id)).size).toBe(300)
    // Neither open nor dead.
    expect(await bench.world.tally.queue.stats()).toEqual([])
    await runner.stop()
  })
})

describe('R4 places', () => {
  it('are those of a type: a provider that hangs delays nobody else, and is called by no more than its places', async () => {
    const bench = await openRunner()
    let hanging = 0
    const hangs = effect(() => (hanging++, never), { type: 'charge', concurrency: 2 })
    const works = effect(async () => done(), { type: 'mail', concurrency: 1 })
    const runner = bench.start({ ...effects(hangs, works), timerTypes: ['deadline'] })
    await bench.enqueue(
      ...Array.from({ length: 10 }, (_, i) => ({ id: `c${i}`, type: 'charge' })),
      ...Array.from({ length: 10 }, (_, i) => ({ id: `m${i}`, type: 'mail' })),
      ...Array.from({ length: 10 }, (_, i) => ({ id: `d${i}`, type: 'deadline', dueAt: bench.time.now() + 100 * i })),
    )
    await bench.time.advance(6000)
    expect(hanging).toBe(2)
    expect(await bench.world.tally.queue.stats()).toEqual([{ type: 'charge', state: 'open', count: 10 }])
    await bench.time.advance(60_000)
    expect(hanging).toBe(2)
    await runner.stop()
  })

  it('timers alone are on time, and many', async () => {
    const bench = await openRunner()
    const runner = bench.start({ timerTypes: ['deadline'] })
    const start = bench.time.now()
    await bench.enqueue(...Array.from({ length: 2000 }, (_, i) => ({ id: `d${i}`, type: 'deadline', dueAt: start })), {
      id: 'soon',
      type: 'deadline',
      dueAt: start + 1300,
    })
    bench.wake.notify()
    await bench.time.advance(0)
    expect(bench.finished).toHaveLength(2000)
    await bench.time.advance(1299)
    expect(await bench.stateOf('soon')).toBe('open')
    await bench.time.advance(1)
    expect(await bench.stateOf('soon')).toBe('done')
    expect(bench.finished.at(-1)).toMatchObject({ task: { dueAt: start + 1300 }, outcome: { kind: 'due' } })
    await runner.stop()
  })

  it('no more timers are claimed than can be settled while the database is slow', async () => {
    const bench = await openRunner()
    const runner = bench.start({ timerTypes: ['deadline'], settle: () => bench.time.sleep(1000) })
    await bench.enqueue(...Array.from({ length: 3000 }, (_, i) => ({ id: `d${i}`, type: 'deadline' })))
    bench.wake.notify()
    await bench.time.advance(500)
    const claimed = [...(await bench.world.tally.queue.claim(['deadline'], 5000, LEASE_MS))]
    expect(claimed.length).toBeGreaterThanOrEqual(1500)
    await bench.time.advance(20_000)
    await runner.stop()
  })

  it('what was claimed is done even when another claim failed', async () => {
    const bench = await openRunner()
    const { claim } = bench.queue
    bench.queue = {
      ...bench.queue,
      claim: (types, ...rest) => (types[0] === 'charge' ? Promise.reject(new Error('away')) : claim(types, ...rest)),
    }
    const charge = effect(async () => done(), { type: 'charge' })
    const runner = bench.start(
      effects(
        charge,
        effect(async () => done()),
      ),
    )
    await bench.enqueue({ id: 'c', type: 'charge' }, { id: 'm' })
    await bench.time.advance(1500)
    expect([await bench.stateOf('c'), await bench.stateOf('m')]).toEqual(['open', 'done'])
    expect(bench.errors[0]).toEqual(new Error('away'))
    await runner.stop()
  })
})

describe('R5 the end', () => {
  it('waits for effects in flight, settles them, and takes nothing new', async () => {
    const bench = await openRunner()
    const runner = bench.start(effects(effect(() => bench.time.sleep(8000).then(() => done()), { concurrency: 1 })))
    await bench.enqueue({ id: 'a' }, { id: 'b' })
    await bench.time.advance(1000)
    const before = bench.time.monotonic()
    await runner.stop()
    expect(bench.time.monotonic() - before).toBeLessThan(9000)
    expect([await bench.stateOf('a'), await bench.stateOf('b')]).toEqual(['done', 'open'])
    expect(bench.time.pending).toBe(0)
  })

  it('aborts effects after ten seconds, and gives their tasks back', async () => {
    const bench = await openRunner()
    const runner = bench.start(effects(effect(() => never)))
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(1000)
    const before = bench.time.monotonic()
    await runner.stop()
    expect(bench.time.monotonic() - before).toBeLessThan(11_000)
    expect(bench.finished.map(({ outcome }) => outcome)).toEqual([retry('the process stops')])
    expect(bench.time.pending).toBe(0)
  })

  it('gives up on answers after five seconds when the database stays away', async () => {
    const bench = await openRunner()
    const runner = bench.start(effects(effect(async () => done())))
    bench.settleError = new Error('away')
    await bench.enqueue({ id: 'a' })
    await bench.time.advance(1500)
    const before = bench.time.monotonic()
    await runner.stop()
    expect(bench.time.monotonic() - before).toBeLessThan(6000)
    expect(await bench.stateOf('a')).toBe('open')
    expect(bench.time.pending).toBe(0)
  })
})
