/** How much, and how slowly, a request may arrive. */

export interface Limits {
  /** Largest body. Defaults to 256 kB. */
  readonly bodyBytes: number
  /** Largest request line and headers together. Defaults to 16 kB, Node's own. */
  readonly headerBytes: number
  /** Longest path and query. Defaults to 8192. */
  readonly urlChars: number
  /** A refused body up to this size is read to its end, so that the client sees the answer and keeps its connection. */
  readonly readOutBytes: number
  /** Time for the headers to arrive. Defaults to 10 s. */
  readonly headersTimeoutMs: number
  /** Time for the whole request to arrive. Defaults to 30 s. Says nothing about how long an answer may take. */
  readonly requestTimeoutMs: number
  /** How long an idle connection is kept. Defaults to 65 s, longer than the usual load balancer keeps its end. */
  readonly keepAliveMs: number
  /** How often slow requests are looked for. Defaults to 1 s. */
  readonly checkIntervalMs: number
}

export const defaultLimits: Limits = {
  bodyBytes: 262_144,
  headerBytes: 16_384,
  urlChars: 8_192,
  readOutBytes: 8_388_608,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveMs: 65_000,
  checkIntervalMs: 1_000,
}
