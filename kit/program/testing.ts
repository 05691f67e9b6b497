/** For tests that start a TypeScript file of their own as a process. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** Arguments that let Node run TypeScript. */
export const sourceLoader: readonly string[] = [
  '--import',
  pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href,
]
