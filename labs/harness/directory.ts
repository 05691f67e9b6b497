/** Temporary directories that are gone when they are removed, or when the process ends. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const left = new Set<string>()
const remove = (path: string) => {
  rmSync(path, { recursive: true, force: true })
  left.delete(path)
}
process.on('exit', () => left.forEach(remove))

export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'cauce-lab-'))
  left.add(path)
  return { path, remove: () => remove(path) }
}
