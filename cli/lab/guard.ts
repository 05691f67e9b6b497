/**
 * A process that waits for us to let go or to die, however that happens, and then cleans up: the labs have a moment to end by
 * themselves, what is left of their process group gets a kill -9, and the directory that holds everything they made is deleted
 * when their servers have left it. It has a session of its own, so no Ctrl-C reaches it.
 */
import { spawn } from 'node:child_process'

export interface Guard {
  /** The process group to be ended. */
  watch(group: number): void
  /** Cleans up. Resolves when nothing is left. */
  dismiss(): Promise<void>
}

/** A lab that is told to end takes three seconds and a stop of its servers at most; each server has a watchdog of its own. */
const SCRIPT = `
group=
while read -r line; do group=$line; done
if [ -n "$group" ]; then
  n=0; while kill -0 "-$group" 2> /dev/null && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done
  kill -9 "-$group" 2> /dev/null
fi
n=0; while ls -d "$1"/*/pg > /dev/null 2>&1 && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done
rm -rf "$1"`

export function startGuard(directory: string): Guard {
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'sh', directory], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.stdin.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    guard.once('error', () => resolve())
    guard.once('close', () => resolve())
  })
  return {
    watch: (group) => void guard.stdin.write(`${group}\n`),
    dismiss() {
      guard.stdin.end()
      return ended
    },
  }
}
