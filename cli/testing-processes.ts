/** For tests of what a command leaves behind. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Processes that run in a directory, were started with it or were told of it. Linux alone can say. */
export function processesOf(directory: string): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').filter((pid) => {
    try {
      const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1')
      return (
        /^\d+$/.test(pid) &&
        [readlinkSync(`/proc/${pid}/cwd`), read('cmdline'), read('environ')].join().includes(directory)
      )
    } catch {
      return false
    }
  })
}
