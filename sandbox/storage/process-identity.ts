import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A process, told from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque: when it began. Null where the system cannot tell; then the number alone must do. */
  readonly began: string | null
}

export function identify(pid: number): ProcessIdentity {
  return { pid, began: beganAt(pid) ?? null }
}

/** Is that very process running? A zombie is not: it was killed and only waits to be counted. */
export function isRunning(who: ProcessIdentity): boolean {
  try {
    process.kill(who.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return who.began === null || who.began === beganAt(who.pid)
}

function beganAt(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      // pid (name, which may hold spaces and parentheses) state ppid ... and the 22nd field: ticks from boot to start
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${fields[19]}`
    }
    if (process.platform === 'win32') return undefined
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1' }).trim() || undefined
  } catch {
    return undefined
  }
}
