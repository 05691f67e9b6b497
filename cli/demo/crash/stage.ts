/**
 * What a demonstration plays on: a data directory of its own, `<CAUCE_DATA>/demo/<pid>`, empty at the start, and processes that
 * are all gone at the end, whichever way it comes. Two demonstrations at the same time have two of them; what one that was
 * killed has left is swept by the next.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Timers } from '@cauce/kit/core/clock'
import { killGroup } from '@cauce/kit/program/child'
import { CliError } from '../../exit.ts'
import type { Shell } from '../../shell.ts'
import { startGuard } from './guard.ts'
import { endPostgres, postmasterOf, removeData, signal } from './postgres.ts'
import { spawnOwn, type OwnProcess, type SpawnOptions } from './processes.ts'

export interface Stage {
  readonly directory: string
  /**
   * Starts a process, whose log is `<name>.log` in the directory. Resolves when it has said its first line.
   * @throws CliError when it ends before
   */
  start(name: string, options: Omit<SpawnOptions, 'logPath'>): Promise<OwnProcess>
  logPath(name: string): string
  /** The running PostgreSQL. */
  postmaster(): number | undefined
  /** Ends every process. `keep` leaves the directory to be looked at. */
  close(keep: boolean): Promise<void>
}

export async function openStage({ t, settings, world }: Shell): Promise<Stage> {
  const { dataDirectory } = settings
  const { timers } = world
  const parent = join(dataDirectory, 'demo')
  await sweep(parent, timers)
  const path = join(parent, String(process.pid))
  const made = mkdirSync(path, { recursive: true }) ?? path
  // As the server makes its own: the account of the embedded database passes through.
  for (const each of [dataDirectory, parent, path]) if (each.startsWith(made)) chmodSync(each, 0o755)
  const directory = realpathSync(path)
  const guard = startGuard(directory)
  const groups = new Set<number>()
  let closed = false
  const logPath = (name: string): string => join(directory, `${name}.log`)

  return {
    directory,
    logPath,
    postmaster: () => postmasterOf(directory),
    async start(name, options) {
      const own = await spawnOwn({ ...options, logPath: logPath(name) }, (group) => {
        groups.add(group)
        guard.watch([...groups])
        if (closed) killGroup(group) // The end came while it was being started.
      })
      if (!own) throw new CliError(t('crash.notStarted', { program: options.program, log: logPath(name) }))
      void own.ended.then(() => {
        groups.delete(own.group)
        if (!closed) guard.watch([...groups])
      })
      return own
    },
    async close(keep) {
      closed = true
      for (const group of groups) killGroup(group)
      await endPostgres(directory, timers)
      guard.dismiss()
      if (!keep) removeData(directory)
    },
  }
}

/** Removes what demonstrations have left that are no more. */
async function sweep(parent: string, timers: Timers): Promise<void> {
  if (!existsSync(parent)) return
  for (const name of readdirSync(parent)) {
    const directory = join(parent, name)
    if (!/^\d+$/.test(name) || (Number(name) !== process.pid && signal(Number(name), 0))) continue
    await endPostgres(directory, timers)
    removeData(directory)
  }
}
