/**
 * Which labs have come to an end, by the events of the process that runs them one after the other: each gets one outcome,
 * whatever happens to the process.
 *
 * 1. A lab that has begun ends with its result, its failure, or the end of the process.
 * 2. A failure that no lab has begun for is that of the next one if the process had only begun; later it may be an echo of the
 *    lab before (a variant that throws where nobody waits), so it is kept until it is clear whose it was.
 * 3. Each process ends at least one lab, so running the rest again and again comes to an end.
 */
import type { LabEvent, LabResult, RunCommand, Started } from '@cauce/labs/contract'

export interface Failure {
  readonly id: string
  readonly code: string
  readonly message: string
}

export type Outcome =
  | { readonly result: LabResult; readonly failure?: undefined }
  | { readonly result?: undefined; readonly failure: Failure }

const isOf = ({ id, seed }: Started, command: RunCommand): boolean => command.id === id && command.seed === seed

export class Ledger {
  readonly #rest: RunCommand[]
  /** Of the process that runs now. */
  #begun = false
  #ended = 0
  #stray: Omit<Failure, 'id'> | undefined

  constructor(commands: readonly RunCommand[]) {
    this.#rest = [...commands]
  }

  /** What has no outcome yet, in order. */
  get rest(): readonly RunCommand[] {
    return this.#rest
  }

  /** The outcomes that an event brings. */
  take(event: LabEvent): Outcome[] {
    switch (event.type) {
      case 'started': {
        const outcomes: Outcome[] = []
        while (this.#rest.length > 1 && !isOf(event, this.#rest[0]!)) {
          outcomes.push(...this.#fail(this.#stray ?? { code: 'broken', message: 'It did not begin' }))
        }
        this.#begun = true
        this.#stray = undefined
        return outcomes
      }
      case 'result':
        return this.#end({ result: event.result })
      case 'failed': {
        const { code, message } = event
        if (this.#begun || this.#ended === 0) return this.#fail({ code, message })
        this.#stray = { code, message }
        return []
      }
      default:
        return []
    }
  }

  /** The process has ended; `failure` says why, if a lab was in hand. */
  processEnded(failure: Omit<Failure, 'id'>): Outcome[] {
    const outcomes = this.#begun || this.#ended === 0 ? this.#fail(failure) : []
    this.#begun = false
    this.#ended = 0
    this.#stray = undefined
    return outcomes
  }

  #fail(failure: Omit<Failure, 'id'>): Outcome[] {
    const id = this.#rest[0]?.id
    return id === undefined ? [] : this.#end({ failure: { id, ...failure } })
  }

  #end(outcome: Outcome): Outcome[] {
    this.#rest.shift()
    this.#begun = false
    this.#ended += 1
    return [outcome]
  }
}
