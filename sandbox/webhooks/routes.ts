/** Where webhooks are to be sent: set, asked and taken away. Setting it again, the same or another, tells what is owed at once. */
import type { Charges } from '../card/charges.ts'
import { fields, text } from '../fields.ts'
import { BadRequest, type Answer, type Routes } from '../http.ts'
import type { Store } from '../storage/store.ts'
import type { Endpoint, EndpointRow } from './endpoint.ts'

export interface WebhookRoutesOptions {
  readonly endpoint: Endpoint
  readonly charges: Charges
  readonly store: Store
  /** Told once the endpoint is another one. */
  readonly onChange: () => void
}

export function webhookRoutes({ endpoint, charges, store, onChange }: WebhookRoutesOptions): Routes {
  const report = (): Answer => ({ status: 200, body: { url: endpoint.address?.url ?? null, ...charges.told } })

  async function set(url: string | null, secret: string | null): Promise<void> {
    const row: EndpointRow = { key: 'endpoint', url, secret }
    await store.change(endpoint, row.key, () => ({ row, answer: undefined }))
    onChange()
  }

  return {
    'GET /webhooks': report,
    'PUT /webhooks': async ({ body }) => {
      const from = fields(body, 'The body')
      await set(urlIn(text(from, 'url', 2_000)), text(from, 'secret'))
      return report()
    },
    'DELETE /webhooks': async () => {
      const last = report()
      await set(null, null)
      return last
    },
  }
}

function urlIn(value: string): string {
  const protocol = URL.canParse(value) ? new URL(value).protocol : ''
  if (protocol === 'http:' || protocol === 'https:') return value
  throw new BadRequest(422, 'invalid', 'url must be one that begins with http:// or https://')
}
