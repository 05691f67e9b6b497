/** Text forms that must be the same everywhere: canonical JSON (fingerprints, golden files) and opaque cursors. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** JSON with object keys sorted and no spaces: equal values give equal bytes. `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  let text = ''
  if (Array.isArray(value)) {
    for (const element of value) text += `${text === '' ? '' : ','}${canonicalJson(element)}`
    return `[${text}]`
  }
  const members = value as Record<string, unknown>
  for (const key of Object.keys(members).toSorted()) {
    if (members[key] === undefined) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(members[key])}`
  }
  return `{${text}}`
}

/** Base64url of the JSON of `value`: opaque to clients, decoded by `decodeCursor`. */
export function encodeCursor(value: Json): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** What `encodeCursor` was given, or undefined when the text is not one of ours. */
export function decodeCursor(text: string): Json | undefined {
  if (!/^[A-Za-z0-9_-]{1,1024}$/.test(text)) return undefined
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json
  } catch {
    return undefined
  }
}
