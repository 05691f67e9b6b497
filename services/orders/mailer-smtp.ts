/**
 * Mail over SMTP. A server's 5xx to the recipient or the content is its last word about that mail. Said to the connection, the
 * login or the sender it is about us, and the same for every mail until somebody mends it; that, and anything else that goes
 * wrong, leaves the mail to be sent again under the same Message-ID.
 */
import { createTransport, type Transporter } from 'nodemailer'
import { mailLimits, type Mailer } from './mailer.ts'

export interface SmtpMailerOptions {
  /** Where the server is, e.g. `smtp://127.0.0.1:2525`, with `user:password@` when it wants them. Asked at each new connection, as it may move; rejects while unknown. */
  readonly url: () => Promise<string>
  /** Sender. */
  readonly from: string
}

const aboutTheMail = new Set(['RCPT TO', 'DATA'])

export function smtpMailer({ url, from }: SmtpMailerOptions): Mailer & { close(): void } {
  let open: { readonly url: string; readonly transport: Transporter } | undefined
  const transportTo = (where: string): Transporter => {
    if (open?.url === where) return open.transport
    open?.transport.close()
    const { hostname: host, port, protocol, username, password } = new URL(where)
    const secure = protocol === 'smtps:'
    const transport = createTransport({
      host,
      port: port === '' ? (secure ? 465 : 25) : Number(port),
      secure,
      ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
      pool: true,
      maxConnections: mailLimits.connections,
      maxMessages: Infinity,
      connectionTimeout: mailLimits.silenceMs,
      greetingTimeout: mailLimits.silenceMs,
      socketTimeout: mailLimits.silenceMs,
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
        const { responseCode = 0, command = '', message } = error as Error & { responseCode?: number; command?: string }
        const isLast = responseCode >= 500 && responseCode < 600 && aboutTheMail.has(command)
        return { kind: isLast ? 'refused' : 'again', reason: message.slice(0, 300) }
      }
    },
    close() {
      open?.transport.close()
      open = undefined
    },
  }
}
