/**
 * Mail over SMTP. A server's 5xx is its last word about that mail; anything else that goes wrong leaves its fate unknown, and
 * the mail is sent again under the same Message-ID.
 */
import { createTransport, type Transporter } from 'nodemailer'
import type { Mailer } from './mailer.ts'

export interface SmtpMailerOptions {
  /** Where the server is, e.g. `smtp://127.0.0.1:2525`. Asked at each new connection, as it may move; rejects while unknown. */
  readonly url: () => Promise<string>
  /** Sender. */
  readonly from: string
}

const TIMEOUT_MS = 5_000

export function smtpMailer({ url, from }: SmtpMailerOptions): Mailer & { close(): void } {
  let open: { readonly url: string; readonly transport: Transporter } | undefined
  const transportTo = (where: string): Transporter => {
    if (open?.url === where) return open.transport
    open?.transport.close()
    const { hostname: host, port, protocol } = new URL(where)
    const secure = protocol === 'smtps:'
    const transport = createTransport({
      host,
      port: port === '' ? (secure ? 465 : 25) : Number(port),
      secure,
      pool: true,
      maxConnections: 5,
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
    })
    open = { url: where, transport }
    return transport
  }
  return {
    async send({ messageId, to, subject, text }) {
      try {
        const transport = transportTo(await url())
        // No Date of ours: the headers of a mail sent again are the same, and servers add when it came.
        await transport.sendMail({ from, to, subject, text, messageId })
        return { kind: 'sent' }
      } catch (error) {
        const { responseCode, message } = error as Error & { responseCode?: number }
        const reason = message.slice(0, 300)
        return responseCode !== undefined && responseCode >= 500 && responseCode < 600
          ? { kind: 'refused', reason }
          : { kind: 'again', reason }
      }
    },
    close() {
      open?.transport.close()
      open = undefined
    },
  }
}
