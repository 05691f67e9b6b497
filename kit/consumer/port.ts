/**
 * Consumer groups. A group's cursors live in the consumer's own database and move in the transaction that applies the
 * messages: that is the whole deduplication.
 *
 * C1 A cursor holds the position and the id of the last applied message, and every read starts at it: a missing or other id
 *    there means that the source was rewound, and the lane halts instead of losing messages silently.
 * C2 Messages of one (group, source, key) apply in order, through failure, parking and redrive: while a key has parked
 *    messages, later ones park behind them; other keys flow.
 * C3 Whoever applies, parks, redrives or discards holds the lane's cursor row.
 */
import type { Message } from '../log/message.ts'

export interface LaneRef {
  readonly source: string
  readonly lane: number
}

export interface Cursor extends LaneRef {
  /** Position of the last applied message; 0 before the first. */
  readonly position: number
  /** Its id; '' before the first. */
  readonly messageId: string
  /** Messages parked in this lane. */
  readonly parked: number
}

/** A message set aside after its decision threw, or because an earlier one of its key was. */
export interface ParkedMessage extends Message {
  /** What went wrong; for those behind it, which message they wait for. */
  readonly error: string
}

export interface ParkedKey {
  readonly source: string
  readonly key: string
}

/** The group's state within a transaction. */
export interface CursorStore {
  /** Locks those of these lanes that nobody else holds and that are not halted (SKIP LOCKED, never waits). */
  lock(group: string, lanes: readonly LaneRef[]): Promise<readonly Cursor[]>
  /** Locks one lane and waits for it (redrive, discard). Undefined when the group has no such lane. */
  lockOne(group: string, lane: LaneRef): Promise<Cursor | undefined>
  /** Which keys of these lanes have parked messages. */
  parkedKeys(group: string, lanes: readonly LaneRef[]): Promise<readonly ParkedKey[]>
  /** Moves cursors and adds what was parked. The lanes must be locked. */
  move(group: string, cursors: readonly Cursor[], parked: readonly ParkedMessage[]): Promise<void>
  /** The parked messages of a key, in order, at most `limit`. */
  parkedMessages(group: string, key: ParkedKey, limit: number): Promise<readonly ParkedMessage[]>
  /** Removes parked messages by id and rewrites the error of those that failed again. The lane must be locked. */
  unpark(group: string, lane: LaneRef, removedIds: readonly string[], failed: readonly ParkedMessage[]): Promise<void>
}

/** One lane's next messages, found without a lock. */
export interface Backlog extends LaneRef {
  readonly messages: readonly Message[]
}

/** A lane whose source does not continue what the group has applied. */
export interface Forked extends LaneRef {
  /** Where the cursor stood. */
  readonly position: number
  readonly reason: string
}

/** What the group finds without locks: where there is work, and where a source was rewound. */
export interface Poll {
  readonly backlogs: readonly Backlog[]
  readonly forked: readonly Forked[]
  /** Lanes with more messages than were read. */
  readonly more: boolean
}

/** The group's state outside transactions. */
export interface GroupReader {
  /** Creates missing cursors for these sources. */
  ensure(group: string, sources: readonly string[], lanes: number): Promise<void>
  cursors(group: string): Promise<readonly Cursor[]>
  /**
   * Stops a lane until an operator acts. False when somebody else has stopped it, or when its cursor has moved since: then
   * it was seen wrongly, and goes on.
   */
  halt(group: string, forked: Forked): Promise<boolean>
  halted(group: string): Promise<readonly Forked[]>
  /** The keys with parked messages, by source and key, at most `limit`. */
  parked(group: string, limit: number, filter?: ParkedFilter): Promise<readonly ParkedSummary[]>
  /** Parked keys by the cause of their first message, most keys first. */
  parkedCauses(group: string): Promise<readonly ParkedCause[]>
  /** What is parked of one key. Undefined when nothing is. */
  parkedKey(group: string, key: ParkedKey): Promise<ParkedSummary | undefined>
  /** The parked messages of a key behind a position, in order. */
  parkedMessages(group: string, key: ParkedKey, after: number, limit: number): Promise<readonly ParkedMessage[]>
}

export interface ParkedFilter {
  /** Only keys whose first message has this cause. */
  readonly cause?: string | undefined
  /** Only keys behind this one. */
  readonly after?: ParkedKey | undefined
}

/** A parked key, told by its first message: those behind it only wait. */
export interface ParkedSummary extends ParkedKey {
  readonly lane: number
  readonly messages: number
  readonly type: string
  readonly error: string
  /** `causeOf(error)`. */
  readonly cause: string
  readonly since: number
}

export interface ParkedCause {
  readonly cause: string
  readonly keys: number
  readonly messages: number
  /** Since when the longest parked of them is. */
  readonly oldest: number
  /** That one. */
  readonly example: ParkedKey & { readonly error: string }
}
