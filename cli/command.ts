/** How a command is hung into the program. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import type { ExitCode } from './exit.ts'
import type { Shell } from './shell.ts'
import type { Translate } from './texts.ts'

export type Parent = CommandUnknownOpts

export interface Wiring {
  readonly t: Translate
  /** Runs the work of a command with its shell; what it returns is the exit code. */
  run(work: (shell: Shell) => Promise<ExitCode>): Promise<void>
}

/** Adds one command to the program, or to a group of it. */
export type AddCommand = (parent: Parent, wiring: Wiring) => void
