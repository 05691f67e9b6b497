/**
 * A process that does nothing but wait for us to end, however that happens, and then ends what we started: a demonstration that
 * is itself killed with -9 leaves no process behind either. It has a session of its own, so no Ctrl-C reaches it.
 */
import { spawn } from 'node:child_process'

export interface Guard {
  /** The process groups to be ended from now on. */
  watch(groups: readonly number[]): void
  /** Lets go: there is nothing left to end. */
  dismiss(): void
}

const SCRIPT = `
groups=
while read -r line; do groups=$line; done
for group in $groups; do kill -9 "-$group" 2> /dev/null; done
place=$(cat "$1/location" 2> /dev/null || echo "$1/pg")
pid=$(head -n 1 "$place/data/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null
exit 0`

export function startGuard(home: string): Guard {
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'sh', home], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.stdin.on('error', () => undefined)
  guard.unref()
  return {
    watch: (groups) => void guard.stdin.write(`${groups.join(' ')}\n`),
    dismiss: () => void guard.stdin.end('\n'),
  }
}
