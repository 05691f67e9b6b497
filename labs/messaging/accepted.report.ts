/** What each party knew: at each kill, as a table; of an order that nothing disturbed, as a timeline. */
import type { Chart } from '../contract.ts'
import type { OrderState, Trace } from './accepted.world.ts'

export interface Attempt {
  readonly order: string
  /** When the client sent it. */
  readonly begun: number
  /** Of the answer; undefined when there was none. */
  readonly status: number | undefined
  readonly answerMs: number
  /** The step that the server did not come to. Undefined when it was not killed. */
  readonly killedBefore?: string
  /** How all stood at that moment. */
  readonly atKill: OrderState
  readonly paidMs?: number
  /** When the client has read that it is paid. */
  readonly knownMs?: number
}

/** @param ends how the orders of the attempts ended */
export function knowledgeChart(attempts: readonly Attempt[], ends: readonly OrderState[]): Chart {
  return {
    kind: 'table',
    title: {
      en: 'What each party knew when the server was killed',
      es: 'Qué sabía cada parte cuando murió el servidor',
    },
    columns: [
      { en: 'killed before', es: 'muerto antes de' },
      { en: 'client', es: 'cliente' },
      { en: 'order in the database', es: 'pedido en la base' },
      { en: 'task in the queue', es: 'tarea en la cola' },
      { en: 'card charged', es: 'tarjeta cobrada' },
      { en: 'the order in the end', es: 'el pedido al final' },
    ],
    rows: attempts.map(({ killedBefore = '—', status = '—', atKill }, i) => [
      killedBefore,
      status,
      atKill.order,
      atKill.task,
      atKill.charged ? '✓' : '—',
      ends[i]?.order ?? '—',
    ]),
  }
}

interface Span {
  readonly from: number
  readonly to: number
  readonly label: string
}

export function timelineChart({ begun, status, answerMs, knownMs }: Attempt, traces: readonly Trace[]): Chart {
  const seen = traces.map(({ what, ms }) => ({ what, ms: Math.round(ms - begun) }))
  // What is known in the end stays known: it is shown for a little longer.
  const end = Math.ceil(Math.max(answerMs, knownMs ?? 0, ...seen.map(({ ms }) => ms)) * 1.1)
  const between = (from: string, to: string, label: string): Span[] => {
    const first = seen.find(({ what }) => what === from)
    const last = seen.findLast(({ what }) => what === to)
    return first && last ? [{ from: first.ms, to: last.ms, label }] : []
  }
  /** From each state to the next, the last one to the end. */
  const states = (of: string): Span[] => {
    const own = seen.filter(({ what }) => what.startsWith(`${of} `))
    return own.map(({ what, ms }, i) => ({ from: ms, to: own[i + 1]?.ms ?? end, label: what.slice(of.length + 1) }))
  }
  const client = [
    { from: 0, to: answerMs, label: 'POST' },
    { from: answerMs, to: knownMs ?? end, label: `${status ?? 'no answer'}` },
    ...(knownMs === undefined ? [] : [{ from: knownMs, to: end, label: 'GET: paid' }]),
  ]
  const rows = [
    { name: 'client', spans: client },
    { name: 'API', spans: between('the request', `the answer ${status}`, 'POST') },
    { name: 'queue', spans: states('tasks') },
    { name: 'worker', spans: between('the charge', 'orders paid', 'charge') },
    { name: 'card processor', spans: between('processor asked', 'processor answers', 'charge') },
    { name: 'database', spans: states('orders') },
  ]
  return {
    kind: 'timeline',
    title: { en: 'An order that nothing disturbed', es: 'Un pedido que nada perturbó' },
    rows: rows.filter(({ spans }) => spans.length > 0),
  }
}
