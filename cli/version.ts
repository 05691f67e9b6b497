import { readFileSync } from 'node:fs'

/** Cauce's version, from the root's package.json. */
export const version = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version
