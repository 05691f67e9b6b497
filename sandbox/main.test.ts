import { appendFileSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { book, request, sandboxProcess, temporaryDirectory } from './testing.ts'

const timeoutMs = 20_000

/** Books under ever new keys with `width` callers until the sandbox is gone. Gives the keys that were answered. */
async function bookUntilGone(url: string, width: number, seen: (acknowledged: number) => void) {
  const acknowledged: string[] = []
  const open: string[] = []
  let next = 0
  const caller = async () => {
    for (;;) {
      const key = `k${next++}`
      try {
        const { status } = await book(url, key)
        if (status === 201) acknowledged.push(key)
        seen(acknowledged.length)
      } catch {
        open.push(key)
        return
      }
    }
  }
  await Promise.all(Array.from({ length: width }, caller))
  return { acknowledged, open }
}

test(
  'kill -9 under load: every answered key is there, the others can be asked again',
  { timeout: timeoutMs },
  async () => {
    const directory = temporaryDirectory()
    const first = sandboxProcess(directory)
    const killAt = 300
    const { acknowledged, open } = await bookUntilGone(await first.ready, 24, (count) => {
      if (count === killAt) void first.kill()
    })
    expect(acknowledged.length).toBeGreaterThanOrEqual(killAt)
    expect(open).toHaveLength(24)
    appendFileSync(join(directory, 'sandbox.journal'), '0badc0de ["shipments",{"key":"to')
    const url = await sandboxProcess(directory).ready
    const before = new Set((await request(url, 'GET', '/shipments')).body.items.map((item: any) => item.key))
    expect(acknowledged.filter((key) => !before.has(key))).toEqual([])
    const again = await Promise.all(open.map((key) => book(url, key)))
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([201]))
    const after = (await request(url, 'GET', '/shipments?limit=100000')).body.items
    expect(new Set(after.map((item: any) => item.tracking)).size).toBe(after.length)
    expect((await request(url, 'GET', '/doubles')).body).toEqual({ charges: 0, shipments: 0 })
  },
)

test(
  'it announces itself, refuses a second one with 75, and ends with 0 on SIGTERM',
  { timeout: timeoutMs },
  async () => {
    const directory = temporaryDirectory()
    const first = sandboxProcess(directory)
    const url = await first.ready
    expect(JSON.parse(readFileSync(join(directory, 'sandbox.json'), 'utf8'))).toEqual({
      url,
      smtp: expect.stringMatching(/^smtp:\/\/127\.0\.0\.1:\d+$/),
      pid: first.child.pid,
    })
    expect((await request(url, 'GET', '/livez')).body).toEqual({
      status: 'ok',
      name: 'cauce-sandbox',
      pid: first.child.pid,
    })
    await expect(sandboxProcess(directory).ready).rejects.toThrow(/ended with 75 .* keeps its sandbox in/)
    first.child.kill('SIGTERM')
    expect(await once(first.child, 'exit')).toEqual([0, null])
  },
)
