/** The four kinds of input, as the pipeline sees them, and where they come from. */
import type { LaneHead } from '../log/port.ts'
import type { Decision } from './decision.ts'
import type { UnitOfWork } from './unit-of-work.ts'

export interface Input {
  /** Unique; ids of messages and tasks of its decision are derived from it. */
  readonly id: string
  readonly kind: 'command' | 'message' | 'task'
  readonly type: string
  /** What the handler is given. */
  readonly data: unknown
  readonly requestId: string
  /** `now` is never before this: the due time of a claimed timer. */
  readonly notBefore?: number
}

export type Result =
  | { readonly kind: 'decided'; readonly input: Input; readonly decision: Decision }
  /** Its decision threw, or the database refused what it made: nothing of it is saved. */
  | { readonly kind: 'aside'; readonly input: Input; readonly error: Error }
  /** Not decided because an earlier input of its key is aside. */
  | { readonly kind: 'held'; readonly input: Input }

/** Inputs locked and verified within a transaction. */
export interface Claim {
  readonly inputs: readonly Input[]
  /** True when there is something to settle although no input needs a decision. */
  readonly settles?: boolean
  /** Asked just before each decision. */
  admits?(input: Input): boolean
  /** Told of each decision before any of it is taken. A throw sets the input aside. */
  decided?(input: Input, decision: Decision): void
  /** Told of each input that is set aside. */
  refused?(input: Input): void
  /** Settles the source: stores replies, moves cursors, finishes tasks. Sends its statements before its first await. */
  settle(work: UnitOfWork, results: readonly Result[], now: number): Promise<void>
  /** Told once the transaction is durable, or when there was nothing to write. */
  committed?(results: readonly Result[], heads: readonly LaneHead[]): void
}

export interface Source<Selection> {
  readonly kind: Input['kind']
  /** What `claim` may give at most; their rows are loaded together with the claim. */
  candidates(selection: Selection): readonly Input[]
  claim(work: UnitOfWork, selection: Selection): Promise<Claim>
  /** Rows are locked before the claim. For tasks: who moves a timer holds its rows already, and locking the other way deadlocks. */
  readonly rowsFirst?: boolean
  /** Two smaller selections to be run one after the other, or undefined when there is one input. */
  split(selection: Selection): readonly [Selection, Selection] | undefined
}
