/** Orders' effect: the confirmation of a completed order. */
import { createHash } from 'node:crypto'
import { forever, taskBackoff } from '@cauce/kit/policy/backoff'
import { cancel, done, retry, type Effect } from '@cauce/kit/task/outcome'
import { SEND_CONFIRMATION, type Confirmation } from './confirmation.ts'
import { mailLimits, type Mail, type Mailer } from './mailer.ts'

const CONCURRENCY = 60

export interface ConfirmationOptions {
  /** For customers whose id is no mail address, and for Message-IDs. */
  readonly domain: string
}

export function effects(mailer: Mailer, { domain }: ConfirmationOptions): readonly Effect[] {
  return [
    {
      type: SEND_CONFIRMATION,
      async run(data, { key, signal }) {
        const answer = await mailer.send(mailOf(data as Confirmation, key, domain), signal)
        if (answer.kind === 'again') return retry(answer.reason)
        return answer.kind === 'refused' ? cancel(answer.reason) : done()
      },
      // At least one is sent, however long the post office is closed.
      backoff: forever({ ...taskBackoff, capMs: 60_000 }),
      // Twice what the last of them waits for a post office that says nothing: a mail that was given up earlier would stay in
      // the mailer's queue and be sent all the same, once for each attempt.
      timeoutMs: (CONCURRENCY / mailLimits.connections) * mailLimits.silenceMs * 2,
      concurrency: CONCURRENCY,
    },
  ]
}

export function mailOf(confirmation: Confirmation, key: string, domain: string): Mail {
  const { orderId, customer, name, lines, total, tracking } = confirmation
  const items = lines.map(({ sku, quantity, unitPrice }) => `  ${quantity} × ${sku} at ${shown(unitPrice)}`)
  const text = [
    `Hello ${name},`,
    '',
    `your order ${orderId} is on its way${tracking === null ? '' : ` (tracking ${tracking})`}.`,
    '',
    ...items,
    `  Total: ${shown(total)}`,
  ]
  const address = /^[\w.+-]+@[\w-]+(\.[\w-]+)+$/.test(customer) ? customer : `${localPart(customer)}@${domain}`
  return {
    messageId: `<${key}@${domain}>`,
    to: { name, address },
    subject: `Your order ${orderId}`,
    text: text.join('\n'),
  }
}

/** Making one costs more than the rest of a mail. */
const formats = new Map<string, Intl.NumberFormat>()

function shown({ amount, currency }: { readonly amount: number; readonly currency: string }): string {
  let format = formats.get(currency)
  if (!format) formats.set(currency, (format = new Intl.NumberFormat('en', { style: 'currency', currency })))
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

/** The longest there is. */
const LOCAL_PART = 64

/** A subject is any text; what no address may hold is written as `=41`. A long one ends with its hash: nobody gets another's mail. */
function localPart(customer: string): string {
  const letters = [...Buffer.from(customer)].map((byte) => {
    const letter = String.fromCharCode(byte)
    return /[A-Za-z0-9_-]/.test(letter) ? letter : `=${byte.toString(16).padStart(2, '0').toUpperCase()}`
  })
  const written = letters.join('')
  if (written.length <= LOCAL_PART) return written
  const end = `.${createHash('sha256').update(customer).digest('hex').slice(0, 32)}`
  return written.slice(0, LOCAL_PART - end.length) + end
}
