/** The process: real time, real files, signals. `up` handles its own signals; everything else ends at once when interrupted. */
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { systemIds } from '@cauce/kit/core/id-source'
import { systemRandom } from '@cauce/kit/core/prng'
import { exits } from './exit.ts'
import { runCli } from './program.ts'
import { chooseLang, translator } from './texts.ts'

const { argv, env, stdout, stderr } = process
const args = argv.slice(2)

process.on('SIGINT', () => {
  if (process.listenerCount('SIGINT') > 1) return // `up` takes care
  stderr.write(`\n${translator(chooseLang(args, env))('error.interrupted')}\n`)
  process.exit(exits.interrupted)
})
// Whoever reads us may have seen enough: `cauce order list | head -1`.
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? exits.ok : exits.failed))
}

const code = await runCli(args, {
  env,
  directory: process.cwd(),
  stdout,
  stderr,
  fetch,
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  ids: systemIds,
  signals: process,
})
// Idle connections and timers of libraries must not keep a finished command alive.
process.exit(code)
