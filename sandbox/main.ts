/**
 * `node --import tsx sandbox/main.ts --data <directory> --port <number, 0 for any>`: the sandbox as a process of its own.
 *
 * SIGTERM and SIGINT stop it in order; kill -9 loses nothing that was answered. Exit: 0 stopped, 1 could not start or its
 * disk broke, 2 usage, 75 another process has the directory (try that one).
 */
import { parseArgs } from 'node:util'
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { systemRandom } from '@cauce/kit/core/prng'
import { SandboxHeld, startSandbox } from './server.ts'

const usage = 'Usage: main.ts --data <directory> --port <0 to 65535; 0 for any free one>'

function readArguments(): { dataDirectory: string; port: number } {
  try {
    const { values } = parseArgs({ options: { data: { type: 'string' }, port: { type: 'string', default: '0' } } })
    const { data, port } = values
    if (data && /^\d{1,5}$/.test(port) && Number(port) <= 65_535) return { dataDirectory: data, port: Number(port) }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
  }
  console.error(usage)
  process.exit(2)
}

function end(error: unknown): never {
  console.error(error instanceof Error ? error.message : error)
  process.exit(error instanceof SandboxHeld ? 75 : 1)
}

try {
  const sandbox = await startSandbox({
    ...readArguments(),
    timers: systemTimers,
    clock: systemClock,
    random: systemRandom,
    onBroken: end,
  })
  console.log(`The sandbox listens on ${sandbox.url}, for mail on ${sandbox.smtp}, as process ${process.pid}`)
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    sandbox.close().then(() => process.exit(0), end)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
} catch (error) {
  end(error)
}
