/** Orders' effect: the confirmation of a completed order. */
import { forever, taskBackoff } from '@cauce/kit/policy/backoff'
import { cancel, done, retry, type Effect } from '@cauce/kit/task/outcome'
import { SEND_CONFIRMATION, type Confirmation } from './confirmation.ts'
import type { Mail, Mailer } from './mailer.ts'

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
      timeoutMs: 20_000,
      concurrency: 5,
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

const shown = ({ amount, currency }: { readonly amount: number; readonly currency: string }): string =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).format(amount / minorUnits(currency))

/** How many minor units make one. */
function minorUnits(currency: string): number {
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions()
  return 10 ** maximumFractionDigits
}

/** A subject is any text; what no address may hold is written as `=41`. */
const localPart = (customer: string): string =>
  [...Buffer.from(customer)]
    .map((byte) => {
      const letter = String.fromCharCode(byte)
      return /[A-Za-z0-9_-]/.test(letter) ? letter : `=${byte.toString(16).padStart(2, '0').toUpperCase()}`
    })
    .join('')
    .slice(0, 64)
