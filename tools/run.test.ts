import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { run } from './run.ts'

const node = (script: string, timeoutMs = 15_000) => run({ program: process.execPath, args: ['-e', script], timeoutMs })

it('gives the exit code, stdout alone, and everything that was written', async () => {
  const outcome = await node(`console.log('out'); console.error('err'); process.exitCode = 3`)
  expect(outcome).toMatchObject({ code: 3, stdout: 'out\n' })
  expect(outcome.output).toContain('err')
})

it('adds to the environment', async () => {
  const script = 'process.stdout.write(`${process.env.GREETING} ${process.env.PATH ? 1 : 0}`)'
  const plan = { program: process.execPath, args: ['-e', script], timeoutMs: 15_000 }
  expect(await run({ ...plan, env: { GREETING: 'hola' } })).toMatchObject({ code: 0, stdout: 'hola 1' })
})

it('ends a program that takes too long', async () => {
  const outcome = await node('setInterval(() => {}, 1000)', 200)
  expect(outcome.code).toBe(124)
  expect(outcome.output).toContain('did not end within 0.2 s')
})

it('ends what such a program started', async () => {
  const script = 'while :; do :; done & echo $!; wait'
  const outcome = await run({ program: 'sh', args: ['-c', script], timeoutMs: 500 })
  expect(outcome.code).toBe(124)
  const pid = Number(outcome.stdout)
  expect(pid).toBeGreaterThan(0)
  await expect.poll(() => alive(pid), { timeout: 15_000 }).toBe(false)
})

it('says that a program did not start', async () => {
  const outcome = await run({ program: 'no-such-program', args: [], timeoutMs: 1000 })
  expect(outcome.code).toBe(127)
  expect(outcome.output).toContain('no-such-program did not start')
})

/** A process that has ended but was not collected yet (state Z) is not alive. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
