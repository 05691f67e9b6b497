/**
 * Reading a JSON body from bytes. JSON.parse decides what is JSON; around it stand the checks it does not make:
 *   1. The bytes are UTF-8 (400): decoding would replace what is not, and store something nobody sent.
 *   2. No member is given twice (400): JSON.parse keeps the last, a proxy may have judged by the first.
 *   3. At most `MAX_DEPTH` levels (422): what recurses over a body later cannot run out of stack.
 *   4. No text that cannot be stored, no member named `__proto__` (422).
 *
 * One walk over the parsed value; paths are only worked out for a body that is refused.
 */

import { isUtf8 } from 'node:buffer'
import { problem } from './problem.ts'
import { isStorable } from './text.ts'

export const MAX_DEPTH = 16

/** The value of a JSON body, or a ProblemError: `malformed` (400) or `invalid` (422). */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw problem('malformed', 'The body is not UTF-8. Send JSON encoded as UTF-8')
  const text = bytes.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw problem(
      'malformed',
      text.trim() === '' ? 'The body is empty. Send a JSON document' : `The body is not JSON${positionIn(error)}`,
    )
  }
  const survey: Survey = { members: 0, mayHide: text.includes('\\u'), fault: undefined }
  look(value, 0, survey)
  if (survey.fault) throw problem('invalid', `${find(value, survey.fault)} ${survey.fault}`)
  if (survey.members !== membersIn(bytes))
    throw problem('malformed', 'The body has an object in which a member is given twice')
  return value
}

const TOO_DEEP = `is nested deeper than ${MAX_DEPTH} levels`
const UNSTORABLE = 'holds U+0000 or half of a surrogate pair, which cannot be stored'
const FORBIDDEN_NAME = 'is not a known field'

interface Survey {
  members: number
  /** Whether an escape may hide a character that cannot be stored: raw ones are refused by isUtf8 and JSON.parse. */
  readonly mayHide: boolean
  fault: string | undefined
}

function look(value: unknown, depth: number, survey: Survey): void {
  if (typeof value === 'string') {
    if (survey.mayHide && !isStorable(value)) survey.fault = UNSTORABLE
    return
  }
  if (value === null || typeof value !== 'object') return
  if (depth === MAX_DEPTH) {
    survey.fault = TOO_DEEP
    return
  }
  if (Array.isArray(value)) {
    for (const item of value) look(item, depth + 1, survey)
    return
  }
  const members = value as Record<string, unknown>
  for (const name in members) {
    // for…in, three times as fast as entries: what JSON.parse made has no inherited members
    survey.members++
    if (name === '__proto__') survey.fault = FORBIDDEN_NAME
    else if (survey.mayHide && !isStorable(name)) survey.fault = UNSTORABLE
    look(members[name], depth + 1, survey)
  }
}

/** The path of the first value that has the fault, as a JSON pointer. The unprintable part of a name is left out. */
function find(root: unknown, fault: string): string {
  const visit = (value: unknown, path: string, depth: number): string | undefined => {
    if (typeof value === 'string') return fault === UNSTORABLE && !isStorable(value) ? path : undefined
    if (value === null || typeof value !== 'object') return undefined
    if (depth === MAX_DEPTH) return fault === TOO_DEEP ? path : undefined
    for (const [name, member] of Object.entries(value)) {
      const here = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
      if (fault === FORBIDDEN_NAME && name === '__proto__' && !Array.isArray(value)) return here
      if (fault === UNSTORABLE && !isStorable(name)) return path
      const found = visit(member, here, depth + 1)
      if (found !== undefined) return found
    }
    return undefined
  }
  return visit(root, '', 0) || 'The body'
}

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/** How many members the objects of a valid JSON text have, counting doubles: the colons outside strings. Bytes, for speed. */
function membersIn(bytes: Buffer): number {
  let members = 0
  let inString = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) inString = !inString
    else if (!inString) members += byte === COLON ? 1 : 0
    else if (byte === BACKSLASH) i++
  }
  return members
}

function positionIn(error: unknown): string {
  const at = /at position (\d+)/.exec(String(error))?.[1]
  return at === undefined ? ': it ends too early or is malformed' : `: something is wrong at position ${at}`
}
