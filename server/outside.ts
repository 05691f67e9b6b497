/**
 * The outside world as the services see it: each provider behind its own guard (circuit breaker, bulkhead, timeout), so that one
 * that fails delays nobody else.
 */
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { providerPolicy } from '@cauce/kit/policy/call'
import type { Effect } from '@cauce/kit/task/outcome'
import type { Logger } from '@cauce/kit/telemetry/logger'
import type { Metrics } from '@cauce/kit/telemetry/metrics'
import * as orders from '@cauce/orders/service'
import * as payments from '@cauce/payments/service'
import * as shipping from '@cauce/shipping/service'
import type { Closers } from './closers.ts'
import type { Config, ServiceName } from './config.ts'

export interface OutsideOptions {
  readonly config: Pick<Config, 'smtpUrl' | 'mailFrom' | 'mailDomain'>
  /** Where the card processor and the carrier are, and who knows the post office. Undefined: there is no outside world. */
  readonly sandboxUrl: string | undefined
  readonly metrics: Pick<Metrics, 'breaker'>
  readonly opened: Closers
}

export function effectsOf(options: OutsideOptions): Partial<Record<ServiceName, readonly Effect[]>> {
  const { config, sandboxUrl, metrics, opened } = options
  if (sandboxUrl === undefined) return {}
  const guard = (name: string, limits: { readonly concurrency: number; readonly timeoutMs: number }) =>
    providerPolicy({ name, ...limits, onState: (state) => metrics.breaker(name, state) })
  const url = sandboxUrl
  const { smtpUrl, mailFrom: from } = config
  const mailer = orders.smtpMailer({ url: smtpUrl === undefined ? postOfficeOf(url) : async () => smtpUrl, from })
  opened.push(async () => mailer.close())
  return {
    orders: orders.effects(mailer, { domain: config.mailDomain }),
    payments: payments.effects(payments.httpCardProcessor({ url, policy: guard('card', payments.cardLimits) })),
    shipping: shipping.effects(shipping.httpCarrier({ url, policy: guard('carrier', shipping.carrierLimits) })),
  }
}

const KNOWN_MS = 10_000

/** Where the sandbox says its inbox is. Asked again now and then: a restarted one may have moved. */
function postOfficeOf(sandboxUrl: string): () => Promise<string> {
  let known: { readonly url: string; readonly untilMs: number } | undefined
  return async () => {
    const now = systemClock.monotonic()
    if (known && now < known.untilMs) return known.url
    const response = await fetch(sandboxUrl, { signal: AbortSignal.timeout(5_000) })
    const { smtp } = (await response.json()) as { smtp?: string }
    if (smtp === undefined) throw new Error(`${sandboxUrl} names no SMTP server. Set SMTP_URL`)
    known = { url: smtp, untilMs: now + KNOWN_MS }
    return smtp
  }
}

export interface SubscribeOptions {
  readonly sandboxUrl: string
  /** Where this server listens. */
  readonly url: string
  readonly secret: string
  readonly logger: Logger
  readonly opened: Closers
}

/** Asks the card processor for its news, again until it has heard. Without its news everything still works, only later. */
export function subscribe({ sandboxUrl, url, secret, logger, opened }: SubscribeOptions): void {
  const stopping = new AbortController()
  const target = new URL('/v1/webhooks/card', url)
  if (target.hostname === '0.0.0.0' || target.hostname === '[::]') target.hostname = '127.0.0.1'
  const told = async (): Promise<void> => {
    for (let waitMs = 250; !stopping.signal.aborted; waitMs = Math.min(waitMs * 2, 30_000)) {
      const answer = await fetch(`${sandboxUrl}/webhooks`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ url: target.href, secret }),
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(5_000)]),
      }).catch(() => undefined)
      await answer?.body?.cancel()
      if (answer?.ok === true) return
      logger.debug({ status: answer?.status }, 'The card processor has not heard where to tell its news')
      await systemTimers.sleep(waitMs, stopping.signal)
    }
  }
  const telling = told()
  opened.push(async () => {
    stopping.abort()
    await telling
  })
}
