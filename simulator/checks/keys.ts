/** I9: what a key was answered stays what it was answered. */
import { of, text, type Check, type CheckOptions } from './check.ts'

export function keysCheck({ violate, services }: CheckOptions & { readonly services: readonly string[] }): Check {
  return {
    committed(changes) {
      for (const service of services) {
        for (const { key, before, after } of of(changes, `${service}.idempotency_keys`)) {
          if (before && after && text(before, 'body') !== text(after, 'body'))
            violate('I9', `Key ${key} of ${service} was answered anew`)
        }
      }
    },
  }
}
