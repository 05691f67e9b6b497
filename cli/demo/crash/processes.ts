/**
 * Processes of a demonstration, each in a process group of its own: a kill -9 of the group ends what it started as well, and a
 * Ctrl-C of the terminal does not reach it, so that it is ended by the demonstration alone.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { killGroup } from '@cauce/kit/program/child'
import { programFile } from '@cauce/kit/program/program.js'

export interface SpawnOptions {
  /** Its source, from the root: `server/main.ts`. */
  readonly program: string
  readonly args?: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Gets its standard error. */
  readonly logPath: string
}

export interface OwnProcess {
  readonly group: number
  /** The first line it says. */
  readonly said: string
  readonly ended: Promise<void>
  /** kill -9 of its process group. Resolves when it has ended. */
  kill(): Promise<void>
}

/** Resolves when it has said its first line; undefined when it ends before. */
export async function spawnOwn(
  options: SpawnOptions,
  onSpawn: (group: number) => void,
): Promise<OwnProcess | undefined> {
  const { program, args = [], env, logPath } = options
  const file = await programFile(program)
  const log = openSync(logPath, 'a', 0o600)
  // With a channel to us: most of our programs stop by themselves when we die.
  const child = spawn(process.execPath, ['--enable-source-maps', file, ...args], {
    detached: true,
    env,
    stdio: ['ignore', 'pipe', log, 'ipc'],
  })
  closeSync(log)
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  const group = child.pid ?? 0
  if (group > 0) onSpawn(group)
  const said = await Promise.race([firstLine(child), ended.then(() => undefined)])
  if (said === undefined) return undefined
  return {
    group,
    said,
    ended,
    async kill() {
      killGroup(group)
      await ended
    },
  }
}

async function firstLine({ stdout }: ChildProcess): Promise<string | undefined> {
  if (stdout) for await (const line of createInterface({ input: stdout })) return line
  return undefined
}
