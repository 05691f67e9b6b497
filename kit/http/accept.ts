/** Whether a client takes an answer of a given media type: the Accept header of RFC 9110, the most specific range first. */

const known = new Map<string, boolean>()
const KNOWN_LIMIT = 500

/** True when the header is absent or has a range that covers `mediaType` with a quality above zero. */
export function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header === '*/*' || header === mediaType) return true
  const asked = `${mediaType} ${header}`
  const before = known.get(asked)
  if (before !== undefined) return before
  if (known.size >= KNOWN_LIMIT) known.clear()
  const answer = judge(header, mediaType)
  known.set(asked, answer)
  return answer
}

function judge(header: string, mediaType: string): boolean {
  const wider = [mediaType, `${mediaType.slice(0, mediaType.indexOf('/'))}/*`, '*/*']
  const qualities = new Map<string, number>()
  for (const range of header.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    qualities.set(type, quality === undefined ? 1 : Number(quality) || 0)
  }
  for (const range of wider) {
    const quality = qualities.get(range)
    if (quality !== undefined) return quality > 0
  }
  return header.trim() === ''
}
