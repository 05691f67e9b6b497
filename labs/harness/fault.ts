import type { LabFault } from '../contract.ts'

/** A run that cannot begin or go on; the message says what to do. */
export class LabError extends Error {
  override readonly name = 'LabError'
  readonly code: LabFault

  constructor(code: LabFault, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
