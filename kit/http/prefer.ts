/** What a caller would like (RFC 7240). A preference that cannot be read is ignored, as the RFC asks. */
import type { FastifyRequest } from 'fastify'

/** The milliseconds of `Prefer: wait=N`, where N is whole seconds. */
export function preferredWaitMs(request: Pick<FastifyRequest, 'raw'>): number | undefined {
  const header = request.raw.headers['prefer']
  if (header === undefined) return undefined
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])/i.exec(String(header))?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
