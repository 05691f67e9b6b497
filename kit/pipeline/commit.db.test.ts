/** Lost answers to COMMIT: whatever happened at the server, running again from the claim has the effect once (P4). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CommitUnknownError } from '../database/errors.ts'
import { CommandQueue, type Command } from './commands.ts'
import { redriveKey } from './redrive.ts'
import {
  added,
  counters,
  makePipeline,
  openWorld,
  send,
  tallyService,
  wholeLog,
  type Sites,
  type World,
} from './testing.ts'
import { Bench } from './testing-messages.ts'
import { startCuttingProxy, type Cut, type CuttingProxy } from './testing-commit-proxy.ts'

describe('a COMMIT whose answer is lost', () => {
  let world: World
  let proxy: CuttingProxy
  let sites: Sites
  /** Drives a worker whose transactions go through the proxy. */
  let bench: Bench
  beforeAll(async () => {
    world = await openWorld('postgres')
    proxy = await startCuttingProxy(world.url!)
    sites = await world.connect(proxy.url)
  })
  beforeEach(async () => {
    await world.reset()
    bench = await Bench.over({ ...world, ...sites })
  })
  afterAll(async () => {
    await sites.close()
    await proxy.close()
    await world.close()
  })

  const direct = (...messages: Parameters<typeof send>[1][]) => send(world.upstream, ...messages)

  it.each<Cut>(['before', 'after'])('%s the server has it: messages are applied once', async (cut) => {
    await direct(added('a', 1), added('b', 1))
    await bench.drain()
    await direct(added('a', 2), added('b', 2), added('c', 1))
    const backlogs = await bench.poll()
    proxy.cut(cut)
    const results = await bench.run(backlogs)
    expect(proxy.pending()).toBe(0)
    // Run again, it finds either everything to do or nothing.
    expect(results).toHaveLength(cut === 'before' ? 3 : 0)
    await bench.drain()
    expect(await bench.histories()).toEqual({ a: [1, 2], b: [1, 2], c: [1] })
    expect(await bench.counted()).toEqual(['a/1', 'a/2', 'b/1', 'b/2', 'c/1'])
  })

  it.each<Cut>(['before', 'after'])('%s the server has it: a message parks once', async (cut) => {
    bench.poison.add('a/1')
    await direct(added('a', 1), added('a', 2))
    const backlogs = await bench.poll()
    proxy.cut(cut)
    await bench.run(backlogs)
    expect(proxy.pending()).toBe(0)
    expect(await bench.drain()).toEqual([])
    expect(await bench.parked()).toMatchObject([{ key: 'a', messages: 2 }])
    expect(await world.sql('SELECT sum(parked)::int AS parked FROM tally.cursors')).toEqual([{ parked: 2 }])
  })

  it.each<Cut>(['before', 'after'])('%s the server has it: a redrive applies once', async (cut) => {
    bench.poison.add('a/1')
    await direct(added('a', 1), added('a', 2))
    await bench.drain()
    bench.poison.clear()
    const transactions = world.tally.transactions
    proxy.cut(cut)
    // What is parked is looked up past the proxy; the redrive itself goes through it.
    const { error } = await redriveKey(bench.pipeline, transactions, 'tally', { source: 'upstream', key: 'a' })
    expect(proxy.pending()).toBe(0)
    expect(error).toBeUndefined()
    expect(await bench.histories()).toEqual({ a: [1, 2] })
    expect(await bench.parked()).toEqual([])
  })

  it.each<Cut>(['before', 'after'])('%s the server has it: a command has one effect and its answer', async (cut) => {
    const commands = new CommandQueue(makePipeline(sites.tally, tallyService()))
    const command = (id: string): Command => ({
      id,
      type: 'Add',
      data: { key: 'a', seq: 1, amount: 5 },
      requestId: id,
      key: { id: 'key of a', fingerprint: 'five', ttlMs: 60_000 },
      render: (decision) => ({
        status: decision.kind === 'accepted' ? 200 : 409,
        headers: {},
        body: JSON.stringify(decision),
      }),
    })
    proxy.cut(cut)
    const answer = await commands.submit(command('first'))
    expect(proxy.pending()).toBe(0)
    expect(answer).toMatchObject({ kind: 'answered', replayed: cut === 'after', reply: { status: 200 } })
    const again = await commands.submit(command('second'))
    expect(again).toMatchObject({ kind: 'answered', replayed: true })
    expect((again as { reply: unknown }).reply).toEqual((answer as { reply: unknown }).reply)
    expect(await world.tally.rows(counters)).toMatchObject([{ key: 'a', value: 5, history: [1] }])
    expect(await wholeLog(world.tally)).toHaveLength(1)
  })

  it('again and again is told to the caller, and settled by whoever comes next', async () => {
    await direct(added('a', 1))
    const backlogs = await bench.poll()
    proxy.cut('before', 'before', 'before', 'after')
    // The fourth time it did commit; nobody knows.
    await expect(bench.run(backlogs)).rejects.toThrow(CommitUnknownError)
    expect(proxy.pending()).toBe(0)
    expect(await bench.run(backlogs)).toEqual([])
    expect(await bench.histories()).toEqual({ a: [1] })
  })
})
