/**
 * Reads what dependency-cruiser found. It says "no violations" as happily when its parser was missing and it saw nothing,
 * so an empty cruise, one without dependencies or one that resolved no package of ours is a failure here.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sourceFolders } from './layers.ts'

interface Cruise {
  readonly summary: {
    readonly totalCruised: number
    readonly totalDependenciesCruised: number
    readonly violations: readonly {
      readonly rule: { readonly name: string }
      readonly from: string
      readonly to: string
      readonly cycle?: readonly ({ readonly name: string } | string)[]
    }[]
  }
  readonly modules: readonly {
    readonly source: string
    readonly dependencies: readonly {
      readonly module: string
      readonly resolved: string
      readonly couldNotResolve: boolean
    }[]
  }[]
}

export const existingFolders = (root: string): string[] =>
  sourceFolders.filter((folder) => existsSync(join(root, folder)))

/** What is wrong, one line each; empty when the structure holds. */
export function readCruise(json: string): string[] {
  let cruise: Cruise
  try {
    cruise = JSON.parse(json) as Cruise
  } catch {
    return ['dependency-cruiser gave no result']
  }
  return [...emptiness(cruise), ...cruise.summary.violations.map(describe)]
}

function emptiness({ summary, modules }: Cruise): string[] {
  if (summary.totalCruised === 0) return ['dependency-cruiser saw no modules: is its parser (@swc/core) installed?']
  if (summary.totalDependenciesCruised === 0) return ['dependency-cruiser saw modules but no dependencies']
  const own = modules
    .flatMap(({ dependencies }) => dependencies)
    .filter(({ module, couldNotResolve }) => module.startsWith('@cauce/') && !couldNotResolve)
  if (own.length === 0) return ['dependency-cruiser saw no import between packages']
  const outside = own.find(({ resolved }) => !sourceFolders.some((folder) => resolved.startsWith(`${folder}/`)))
  return outside ? [`${outside.module} resolves outside the sources, to ${outside.resolved}`] : []
}

function describe({ rule, from, to, cycle }: Cruise['summary']['violations'][number]): string {
  const path = cycle ? cycle.map((step) => (typeof step === 'string' ? step : step.name)) : from === to ? [] : [to]
  return `${rule.name}: ${[from, ...path].join(' → ')}`
}
