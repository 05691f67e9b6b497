/**
 * The log: append-only, per service, in lanes. Positions are dense per lane — 1, 2, 3 … — because the lane's head row is
 * locked as the last act before commit: commit order is position order, a reader can never step over a late commit, and a
 * hole means that something is lost.
 */
import type { Message, NewMessage } from './message.ts'

/** A message about to be appended; its position is not known before the head is locked. */
export interface PendingMessage extends NewMessage {
  readonly id: string
  readonly requestId: string
  readonly causeId: string
  readonly at: number
}

export interface LaneHead {
  readonly lane: number
  /** The position of the lane's last message; 0 when it never had one. */
  readonly head: number
}

/** Writes within a transaction. Must be its last writer before COMMIT: it holds the heads until then. */
export interface LogWriter {
  /** Appends in the given order and gives the new heads of the lanes touched. */
  append(messages: readonly PendingMessage[]): Promise<readonly LaneHead[]>
}

export interface LaneRange {
  readonly lane: number
  /** First position to read. */
  readonly from: number
}

/** Reads committed messages of one log, outside any transaction. */
export interface LogReader {
  readonly source: string
  /** As of the call or later, never staler: a head behind a cursor is taken for a rewound log. */
  heads(): Promise<readonly LaneHead[]>
  /**
   * Messages of these lanes in order of lane (as given) and position, at most `limit` in all. Everything up to a head that
   * was told can be read, or it is missing.
   */
  read(ranges: readonly LaneRange[], limit: number): Promise<readonly Message[]>
}

/** The stored number of lanes and the configured one differ: order per key would break. */
export class LaneMismatchError extends Error {
  override readonly name = 'LaneMismatchError'
  constructor(source: string, stored: number, configured: number) {
    super(
      `The log of ${source} was created with ${stored} lanes, but ${configured} are configured. ` +
        `The number of lanes is written once: set it back to ${stored}, or start on an empty database.`,
    )
  }
}
