/**
 * The cause behind an error text: the same for all that failed for the same reason, whatever they were about. An operator so
 * sees three causes, not three thousand errors, and acts on all of one cause together.
 *
 *   TypeError: no stock of ord_019ab3… at 12:30    →  TypeError: no stock of ord_# at #
 *   error 23514: lots_value: 7 is below 0          →  error 23514: lots_value: # is below #
 *   The carrier answered 503 busy after 2000 ms    →  The carrier answered 503 busy after # ms
 *
 * Ids, times and numbers become `#`; codes stay: a SQLSTATE at the head, the status somebody answered. Only the first line
 * counts, and no more of it than a page shows.
 */

const LONGEST = 200

const instant = /\d{4}-\d{2}-\d{2}T[\d:.]+Z?/g
const uuid = /(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])/gi
/** Eight hex digits or more, with a number among them: no word is. */
const hex = /(?<![0-9A-Za-z])(?=[0-9a-f]*\d)[0-9a-f]{8,}(?![0-9A-Za-z])/gi
const numbers = /(?<![0-9A-Za-z])\d+(?:[.,:]\d+)*/g
/** What is kept of numbers: `error 23514: …`, `answered 503`, `HTTP 503`. */
const head = /^\w+ [0-9A-Z]{5}:/
const status = /\b(?:answered|HTTP|status) $/

export function causeOf(error: string): string {
  const [line = ''] = error.trim().split(/[\r\n]/, 1)
  const [kept = ''] = head.exec(line) ?? []
  const rest = line
    .slice(kept.length)
    .replaceAll(instant, '#')
    .replaceAll(uuid, '#')
    .replaceAll(hex, '#')
    .replaceAll(numbers, (number, at: number, whole: string) =>
      /^\d{3}$/.test(number) && status.test(whole.slice(0, at)) ? number : '#',
    )
  return cut(kept + rest) || 'unknown'
}

/** Never in the middle of a character. */
function cut(text: string): string {
  return text
    .slice(0, LONGEST)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd()
}
