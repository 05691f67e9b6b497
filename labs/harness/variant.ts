/**
 * Variants by name, or by the path of somebody's own file: TypeScript or JavaScript whose default export does the work. It is
 * made into JavaScript here, because Node 20 runs none, and it may import any package that this repository has.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { makeModule } from '@cauce/kit/program/program.js'
import { LabError } from './fault.ts'
import type { VariantReference } from './stage.ts'
import type { Lab, Variant } from './lab.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Makes a learner's file ready. Throws LabError 'bad-variant'. @param directory where the JavaScript is put */
export async function makeVariant(path: string, directory: string): Promise<string> {
  const file = resolve(path)
  if (!existsSync(file)) throw new LabError('bad-variant', `There is no file ${path}`)
  try {
    return await makeModule(file, directory)
  } catch (error) {
    throw new LabError('bad-variant', `${path} cannot be read: ${(error as Error).message}`, error)
  }
}

/** The code of a variant. Throws LabError 'bad-variant'. */
export async function loadVariant<Code>(
  variants: readonly Pick<Variant<Code>, 'name' | 'code'>[],
  { name, module }: VariantReference,
): Promise<Code> {
  if (module === undefined) {
    const found = variants.find((variant) => variant.name === name)
    if (!found) throw new LabError('bad-request', `There is no variant ${name}`)
    return found.code
  }
  let loaded: { default?: unknown }
  try {
    loaded = (await import(pathToFileURL(module).href)) as typeof loaded
  } catch (error) {
    throw new LabError('bad-variant', `${name} does not load: ${(error as Error).message}`, error)
  }
  if (typeof loaded.default === 'function') return loaded.default as Code
  throw new LabError('bad-variant', `${name} has no default export that is a function: \`export default async …\``)
}

/** The naive variant as a file to start from: it imports nothing of ours, so it may lie anywhere. Throws LabError. */
export function scaffoldOf({ id, scaffold }: Lab): string {
  if (scaffold === undefined) {
    throw new LabError('bad-request', `${id} is there to be watched; it takes no variant of your own`)
  }
  return readFileSync(resolve(root, scaffold), 'utf8')
}
