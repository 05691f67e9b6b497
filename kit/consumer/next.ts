/**
 * What of a selection is to be applied, once its cursors are locked: what others applied meanwhile is dropped, and a lane that
 * went another way than what was read (C1) is left out, to be looked at again.
 */
import type { Message } from '../log/message.ts'
import type { Backlog, Cursor, LaneRef } from './port.ts'

export const laneName = ({ source, lane }: LaneRef): string => `${source}/${lane}`

/** One lane's turn: its locked cursor and the messages behind it, at least one. */
export interface Turn {
  readonly cursor: Cursor
  readonly messages: readonly Message[]
}

export function turnsOf(selection: readonly Backlog[], cursors: readonly Cursor[]): Turn[] {
  const backlogs = new Map(selection.map((backlog) => [laneName(backlog), backlog.messages]))
  return cursors.flatMap((cursor) => {
    const messages = backlogs.get(laneName(cursor))!
    const next = messages.filter((message) => message.position > cursor.position)
    // Somebody went further than what was read, or back, or another way (C1): look again.
    if (next[0]?.position !== cursor.position + 1) return []
    if (messages.some(({ position, id }) => position === cursor.position && id !== cursor.messageId)) return []
    return [{ cursor, messages: next }]
  })
}
