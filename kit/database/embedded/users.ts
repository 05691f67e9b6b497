/**
 * Who is using the cluster: one file per use in `<CAUCE_DATA>/users`, named by pid, holding the process's start time. The one
 * who leaves last stops the server. A user that died is not counted, and its file is removed by whoever notices.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from './files.ts'
import { processIdentity } from './processes.ts'

/** Counts uses within this process, which may have several. */
let uses = 0

/** Enters the register. Returns how to leave it. */
export function register(directory: string): () => void {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${process.pid}-${++uses}`)
  writeFileSync(path, processIdentity(process.pid) ?? '')
  return () => rmSync(path, { force: true })
}

/** How many living uses there are. */
export function countUsers(directory: string): number {
  let living = 0
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const identity = readIfThere(path)
    if (identity === undefined) continue
    // Empty is one caught between creating and writing: alive if its pid is.
    const current = processIdentity(Number.parseInt(name, 10))
    if (current !== null && (identity === '' || identity === current)) living++
    else rmSync(path, { force: true })
  }
  return living
}
