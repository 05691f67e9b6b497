/**
 * What is known about the server that was started last on a data directory: `<CAUCE_DATA>/server.json`. For `cauce doctor`; a
 * hint, not a proof, so its reader compares the URL with the one it talks to.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ready } from './child.ts'

export interface Announcement extends Ready {
  readonly pid: number
}

const fileOf = (directory: string): string => join(directory, 'server.json')

export function announce(directory: string, announcement: Announcement): void {
  writeFileSync(fileOf(directory), `${JSON.stringify(announcement)}\n`)
}

export function readAnnouncement(directory: string): Announcement | undefined {
  try {
    const value = JSON.parse(readFileSync(fileOf(directory), 'utf8')) as Partial<Announcement>
    return typeof value.url === 'string' && typeof value.pid === 'number' ? (value as Announcement) : undefined
  } catch {
    return undefined
  }
}

/** Takes the announcement back, unless another server has announced itself meanwhile. */
export function withdraw(directory: string, pid: number): void {
  if (readAnnouncement(directory)?.pid === pid) rmSync(fileOf(directory), { force: true })
}
