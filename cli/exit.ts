/** Exit codes, and the errors that carry one. */

export const exits = { ok: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const

/** One of `exits`, or what the server process ended with. */
export type ExitCode = number

/** What a command cannot do, already in the user's language. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit: ExitCode
  constructor(message: string, exit: ExitCode = exits.failed) {
    super(message)
    this.exit = exit
  }
}

export const usageError = (message: string): CliError => new CliError(message, exits.usage)
