/**
 * The headers of this API, as the OpenAPI document shows them. A route names those that it takes or sends; they are shown, not
 * validated: what reads a header says itself what is wrong with it, or ignores it.
 */

/** What a request may carry. */
export const requestHeaders = {
  'X-Request-Id': {
    description: 'What the answer and the logs call this request. One that cannot be used is replaced',
    example: 'checkout-7',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
  },
  'If-Match': {
    description: 'Only if the resource has one of these versions; `*`: only if there is one. Else 412',
    example: '"3"',
    schema: { type: 'string' },
  },
  'If-None-Match': {
    description: 'The versions you have: 304 when it is one of them',
    example: '"3"',
    schema: { type: 'string' },
  },
  Prefer: {
    description: '`wait=N`: wait up to N seconds for the decision. What cannot be read is ignored',
    example: 'wait=10',
    schema: { type: 'string' },
  },
} as const
export type RequestHeader = keyof typeof requestHeaders

/** What an answer may carry. */
export const answerHeaders = {
  'X-Request-Id': {
    description: 'What the logs call this request',
    example: 'checkout-7',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,170}$' },
  },
  ETag: { description: 'The version', example: '"3"', schema: { type: 'string', pattern: '^"\\d+"$' } },
  Location: {
    description: 'Where to read it from now on',
    example: '/v1/orders/ord_019ab3f0c1d27000a1b2c3d4e5f60718',
    schema: { type: 'string', pattern: '^/v1/' },
  },
  'Cauce-Token': {
    description: 'Send it with a later request, and its answer is not older than this',
    example: 'orders:3=120',
    schema: { type: 'string' },
  },
  'Idempotency-Replayed': {
    description: 'The key was used before: this is the answer of that time',
    example: 'true',
    schema: { enum: ['true'] },
  },
  'Preference-Applied': {
    description: 'Which preference was honoured',
    example: 'wait=10',
    schema: { type: 'string', pattern: '^wait=\\d+$' },
  },
  'Retry-After': {
    description: 'Seconds after which to send the same request again',
    example: '2',
    schema: { type: 'string', pattern: '^[1-9]\\d*$' },
  },
  'WWW-Authenticate': {
    description: 'How to authenticate, and what is wrong with what was sent',
    example: 'Bearer realm="cauce"',
    schema: { type: 'string' },
  },
  Allow: { description: 'The methods there are here', example: 'GET, HEAD, OPTIONS', schema: { type: 'string' } },
  Accept: { description: 'What may be sent', example: 'application/json', schema: { type: 'string' } },
} as const
export type AnswerHeader = keyof typeof answerHeaders

/** Headers of a problem that its status demands. */
export const headersOfStatus: Readonly<Record<number, readonly AnswerHeader[]>> = {
  401: ['WWW-Authenticate'],
  403: ['WWW-Authenticate'],
  405: ['Allow'],
  415: ['Accept'],
  429: ['Retry-After'],
  503: ['Retry-After'],
}

/** As the document refers to them. */
export const answerHeaderRefs = (names: Iterable<AnswerHeader>): Record<string, object> =>
  Object.fromEntries([...new Set(names)].map((name) => [name, { $ref: `#/components/headers/${name}` }]))

export const requestHeaderRefs = (names: Iterable<RequestHeader>): object[] =>
  [...new Set(names)].map((name) => ({ $ref: `#/components/parameters/${name}` }))

export const headerComponents = {
  headers: answerHeaders,
  parameters: Object.fromEntries(
    Object.entries(requestHeaders).map(([name, header]) => [name, { name, in: 'header', required: false, ...header }]),
  ),
}
