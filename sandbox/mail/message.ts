/**
 * What is read of a mail: its Message-ID, subject and text, as far as plain senders write them. Folded headers, encoded words,
 * quoted-printable and base64, and the first text/plain part of a multipart. Never throws: what cannot be read stays as it is.
 */
export interface ReadMail {
  readonly messageId: string | undefined
  readonly subject: string
  readonly text: string
}

export function readMail(raw: Buffer): ReadMail {
  const part = partOf(raw.toString('latin1')) // a character a byte, until the charset is known
  return {
    messageId: /<[^<>\s]{1,250}>/.exec(part.headers.get('message-id') ?? '')?.[0],
    subject: words(part.headers.get('subject') ?? ''),
    text: textOf(part, deepest).replaceAll('\r\n', '\n').replace(/\n$/, ''),
  }
}

interface Part {
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

const deepest = 5

function partOf(source: string): Part {
  const end = source.indexOf('\r\n\r\n')
  const head = end === -1 ? source : source.slice(0, end)
  const lines = head.replaceAll(/\r\n(?=[ \t])/g, '').split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  // the first of a name wins
  return { headers: new Map(headers.toReversed()), body: end === -1 ? '' : source.slice(end + 4) }
}

function textOf({ headers, body }: Part, depth: number): string {
  const type = headers.get('content-type') ?? 'text/plain'
  const boundary = parameter(type, 'boundary')
  if (/^multipart\//i.test(type) && boundary !== undefined && depth > 0) {
    const parts = `\r\n${body}`.split(`\r\n--${boundary}`).slice(1)
    const texts = parts.filter((each) => !each.startsWith('--')).map((each) => partOf(each.replace(/^[ \t]*\r\n/, '')))
    const plain = texts.find((each) =>
      /^(text\/plain|multipart\/)/i.test(each.headers.get('content-type') ?? 'text/plain'),
    )
    return plain ? textOf(plain, depth - 1) : ''
  }
  return decoded(unpacked(body, headers.get('content-transfer-encoding') ?? ''), parameter(type, 'charset'))
}

function parameter(value: string, name: string): string | undefined {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]+))`, 'i').exec(value)
  return found?.[1] ?? found?.[2]
}

function unpacked(body: string, encoding: string): Buffer {
  if (/^base64$/i.test(encoding)) return Buffer.from(body, 'base64')
  if (/^quoted-printable$/i.test(encoding)) return unquoted(body.replaceAll(/=[ \t]*\r\n/g, ''))
  return Buffer.from(body, 'latin1')
}

const unquoted = (text: string): Buffer =>
  Buffer.from(
    text.replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )

function decoded(bytes: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes) // a charset nobody knows
  }
}

/** A header with encoded words (RFC 2047); white space between two of them is not part of the text. */
function words(header: string): string {
  const joined = header.replaceAll(/(\?=)\s+(?==\?)/g, '$1')
  const pattern = /=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=/gi
  let text = ''
  let at = 0
  for (const found of joined.matchAll(pattern)) {
    const [whole, charset = '', kind = '', data = ''] = found
    const bytes = /b/i.test(kind) ? Buffer.from(data, 'base64') : unquoted(data.replaceAll('_', ' '))
    text += decoded(Buffer.from(joined.slice(at, found.index), 'latin1')) + decoded(bytes, charset)
    at = found.index + whole.length
  }
  return text + decoded(Buffer.from(joined.slice(at), 'latin1'))
}
