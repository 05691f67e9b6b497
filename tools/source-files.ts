/**
 * The files of the repository: what git tracks and what it would track, or, without git (an unpacked archive), a walk
 * that leaves out what `.gitignore` names. Paths are relative to the root, with forward slashes, sorted.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface SourceFile {
  readonly path: string
  readonly text: string
}

const skippedFolders = new Set(['node_modules', '.git', '.cauce', 'coverage', 'dist'])

export function listFiles(root: string): string[] {
  return (fromGit(root) ?? walk(root, '')).filter((path) => existsSync(join(root, path))).toSorted()
}

/** Files with text in them; one with a zero byte is taken for binary and left out. */
export function readSources(root: string, paths: readonly string[]): SourceFile[] {
  return paths
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'))
}

function fromGit(root: string): string[] | undefined {
  try {
    const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1024 * 1024,
    })
    const paths = new Set(output.split('\0').filter(Boolean))
    // Nothing at all: a copy inside a folder that some other repository ignores.
    return paths.size > 0 ? [...paths] : undefined
  } catch {
    return undefined
  }
}

function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : walk(root, path)
    return entry.isFile() ? [path] : []
  })
}
