/** The life of messages in the broker, from what its trigger and the consumers have noted. */
import type { Random } from '@cauce/kit/core/prng'
import type { Chart } from '../contract.ts'

/** What happens at the first delivery. */
export type Kind = 'acknowledged' | 'refused' | 'forgotten'
export type Kinds = Readonly<Record<string, Kind>>

/** By the broker: publish, receive, ack, nack, extend. By consumers: work, done. By the lab: kill -9. */
export interface Noted {
  readonly message: string
  readonly event: string
  /** Of the broker's events. */
  readonly token: number | null
  readonly ms: number
}

/** So many messages of each kind, `m1`, `m2` …, in an order that the seed decides. */
export function kindsOf(counts: Readonly<Record<Kind, number>>, random: Random): Kinds {
  const list = Object.entries(counts).flatMap(([kind, count]) => Array.from({ length: count }, () => kind as Kind))
  const drawn = list.map((kind) => ({ kind, order: random.next() })).toSorted((a, b) => a.order - b.order)
  return Object.fromEntries(drawn.map(({ kind }, i) => [`m${i + 1}`, kind]))
}

/** Of one message of each kind, what happened when. */
export function statesChart(kinds: Kinds, events: readonly Noted[]): Chart {
  const followed = (['acknowledged', 'refused', 'forgotten'] as const).map((kind) =>
    Object.keys(kinds).find((id) => kinds[id] === kind),
  )
  const shown = events.filter(({ message }) => followed.includes(message))
  const begun = shown[0]?.ms ?? 0
  return {
    kind: 'table',
    title: { en: 'Three messages over time', es: 'Tres mensajes en el tiempo' },
    columns: [
      { en: 'ms', es: 'ms' },
      { en: `${followed[0]}, acknowledged`, es: `${followed[0]}, confirmado` },
      { en: `${followed[1]}, refused`, es: `${followed[1]}, rechazado` },
      { en: `${followed[2]}, forgotten`, es: `${followed[2]}, olvidado` },
    ],
    rows: shown.map(({ message, event, token, ms }) => [
      Math.round(ms - begun),
      ...followed.map((id) =>
        id === message ? `${event}${token === null ? '' : ` → ${stateAfter(event, token)}`}` : '',
      ),
    ]),
  }
}

const stateAfter = (event: string, token: number): string => {
  if (event === 'ack') return 'done'
  return event === 'receive' || event === 'extend' ? `leased, token ${token}` : 'waiting'
}

/** The longest that it took until a message of a kind was delivered again; nothing when none was. */
export function backMs(kinds: Kinds, events: readonly Noted[]): { nackBackMs?: number; leaseBackMs?: number } {
  const longest = (kind: Kind): number | undefined => {
    const waits = Object.keys(kinds)
      .filter((id) => kinds[id] === kind)
      .flatMap((id) => {
        const own = events.filter(({ message }) => message === id)
        const [first, again] = own.filter(({ event }) => event === 'receive')
        const since = kind === 'refused' ? own.find(({ event }) => event === 'nack') : first
        return since && again ? [again.ms - since.ms] : []
      })
    return waits.length === 0 ? undefined : Math.round(Math.max(...waits))
  }
  const nackBackMs = longest('refused')
  const leaseBackMs = longest('forgotten')
  return { ...(nackBackMs === undefined ? {} : { nackBackMs }), ...(leaseBackMs === undefined ? {} : { leaseBackMs }) }
}

export const deliveries = (events: readonly Noted[], id: string): number =>
  events.filter(({ message, event }) => message === id && event === 'receive').length
