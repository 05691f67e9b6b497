/**
 * A copy of the binaries that every account can read, made once per version and shared by all data directories.
 *
 * 1. Only a directory that belongs to us or to root, and that nobody else can write, is trusted: we are about to run what is
 *    in it. One that somebody else put there is left alone and another place is taken.
 * 2. Each file appears whole (written aside, then renamed), so two processes may copy at once, and one that died half-way, or
 *    a cleaner of temporary directories that took some files, is repaired by the next: only what is missing is copied.
 */
import { chmodSync, copyFileSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownUid } from './account.ts'
import type { Logger } from '../../telemetry/logger.ts'

const systemRoots = (): string[] => (ownUid() === 0 ? ['/var/cache', '/var/tmp', tmpdir()] : ['/var/tmp', tmpdir()])

/** The directory that has `native/` in it, like the package it was copied from. */
export function cachedCopy(
  native: string,
  version: string,
  { logger, cacheRoots = systemRoots() }: { logger: Logger; cacheRoots?: readonly string[] },
): string {
  const name = `cauce-postgres-${version}-${process.platform}-${process.arch}-${ownUid()}`
  for (const root of cacheRoots) {
    const copy = join(root, name)
    try {
      mkdirSync(copy, { mode: 0o755 })
      chmodSync(copy, 0o755) // Whatever the umask is.
    } catch {
      if (lstatSync(copy, { throwIfNoEntry: false }) === undefined) continue // This root cannot be written.
    }
    if (!isTrusted(copy)) {
      logger.warn({ copy }, 'embedded PostgreSQL: not ours, somebody else could have put programs there; left alone')
      continue
    }
    mirror(native, join(copy, 'native'))
    return copy
  }
  const copy = mkdtempSync(join(tmpdir(), `${name}-`))
  chmodSync(copy, 0o755)
  mirror(native, join(copy, 'native'))
  return copy
}

function isTrusted(directory: string): boolean {
  const stat = lstatSync(directory)
  return stat.isDirectory() && (stat.uid === ownUid() || stat.uid === 0) && (stat.mode & 0o022) === 0
}

function mirror(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  chmodSync(to, 0o755)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) mirror(source, target)
    else if (entry.isFile() && !entry.name.endsWith('.a')) copyFile(source, target)
    // Links are made from the package's own list afterwards.
  }
}

function copyFile(source: string, target: string): void {
  const { size, mode } = lstatSync(source)
  const present = lstatSync(target, { throwIfNoEntry: false })
  if (present?.isFile() && present.size === size && (present.mode & 0o444) === 0o444) return
  const aside = `${target}.${process.pid}.part`
  copyFileSync(source, aside)
  chmodSync(aside, mode & 0o111 || source.includes('.so') ? 0o755 : 0o644)
  renameSync(aside, target)
}
