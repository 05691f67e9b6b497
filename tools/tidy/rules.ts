/** Every structural rule, in the order in which they are reported. */

import { bannedCalls, testsDoNotSleep } from './banned.ts'
import { importDirection, packageNames, serviceDirection, testSupport } from './direction.ts'
import { quotes, relativeLinks } from './docs.ts'
import { noFocus, skipsSayWhy } from './focus.ts'
import { browserClean, deadFiles, importCycles } from './graph.ts'
import { namedExports, noBarrels } from './modules.ts'
import type { Rule } from './rule.ts'
import { fileLength, functionLength } from './sizes.ts'
import { machinePaths, processLanguage, registryHosts } from './words.ts'

export const rules: readonly Rule[] = [
  importDirection,
  serviceDirection,
  packageNames,
  testSupport,
  importCycles,
  deadFiles,
  browserClean,
  bannedCalls,
  testsDoNotSleep,
  namedExports,
  noBarrels,
  fileLength,
  functionLength,
  noFocus,
  skipsSayWhy,
  machinePaths,
  registryHosts,
  processLanguage,
  relativeLinks,
  quotes,
]
