/**
 * What a structural rule is. A rule brings its own proof: examples it must object to, at exactly these places, and
 * examples it must let pass. `tidy.test.ts` runs the proofs and then the rule on the whole tree.
 */

import type { SourceFile } from '../source-files.ts'

export interface Violation {
  readonly path: string
  /** Counted from 1. */
  readonly line: number
  /** What is there, and what to do instead. */
  readonly what: string
}

/** Path → text. */
export type Example = Readonly<Record<string, string>>

export interface Rule {
  readonly name: string
  readonly reason: string
  check(files: readonly SourceFile[]): Violation[]
  /** `at` lists every violation as `path:line`, in order. */
  readonly violating: readonly { readonly files: Example; readonly at: readonly string[] }[]
  readonly passing: readonly Example[]
}

const code = /\.(ts|tsx|mts|cts|js|mjs|cjs)$/

export const isCode = ({ path }: SourceFile): boolean => code.test(path)
