/** What the deaths did, for people. */
import type { Chart, Text } from '../contract.ts'
import type { Stage } from '../harness/stage.ts'
import type { Attempt } from './exactly-once.world.ts'

/** What one message came to. */
export interface Counted extends Attempt {
  /** The step that was never taken; undefined when nobody died. */
  readonly at: string | undefined
  readonly credits: number
  readonly mails: number
  readonly acknowledged: boolean
}

/** With several orders a row for each of them, with one a row for each point. */
export function chartOf(counted: readonly Counted[], orders: readonly string[]): Chart {
  const [only] = orders.length === 1 ? orders : []
  return only === undefined ? ordersChart(counted, orders) : pointsChart(counted)
}

const columns = {
  order: { en: 'order', es: 'orden' },
  deaths: { en: 'deaths', es: 'muertes' },
  once: { en: 'once', es: 'una vez' },
  credits: { en: 'credits', es: 'abonos' },
  mails: { en: 'mails', es: 'correos' },
  died: { en: 'died before', es: 'murió antes de' },
} satisfies Record<string, Text>

function ordersChart(counted: readonly Counted[], orders: readonly string[]): Chart {
  return {
    kind: 'table',
    title: { en: 'Each order, killed at each point', es: 'Cada orden, matado en cada punto' },
    columns: [columns.order, columns.deaths, columns.once, columns.credits, columns.mails],
    rows: orders.map((order) => {
      const died = counted.filter((each) => each.order === order && each.at !== undefined)
      const once = died.filter(({ credits, mails }) => credits === 1 && mails === 1).length
      return [
        order,
        died.length,
        once,
        spread(died.map(({ credits }) => credits)),
        spread(died.map(({ mails }) => mails)),
      ]
    }),
  }
}

/** 0–2: from never to twice. */
function spread(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return least === most ? `${least}` : `${least}–${most}`
}

function pointsChart(counted: readonly Counted[]): Chart {
  return {
    kind: 'table',
    title: { en: 'What a death at each point did', es: 'Qué hizo una muerte en cada punto' },
    columns: [columns.died, columns.credits, columns.mails],
    rows: counted.map(({ at = '—', credits, mails }) => [at, credits, mails]),
  }
}

/** One that lost something and one that did something twice. */
export function noteAttempts({ note }: Pick<Stage, 'note'>, counted: readonly Counted[]): void {
  const lost = counted.find(({ credits, mails }) => credits < 1 || mails < 1)
  const doubled = counted.find(({ credits, mails }) => credits > 1 || mails > 1)
  for (const each of new Set([lost, doubled])) {
    if (!each) continue
    const { order, at = '—', credits, mails } = each
    const of = order === '' ? '' : `${order}: `
    note({
      en: `${of}died before “${at}”; credited ${credits} ×, mailed ${mails} ×`,
      es: `${of}murió antes de «${at}»; abonado ${credits} ×, enviado ${mails} ×`,
    })
  }
  const stuck = counted.find(({ acknowledged }) => !acknowledged)
  if (stuck) {
    note({
      en: `Delivered again and again, and never acknowledged: ${stuck.message.id}`,
      es: `Entregado una y otra vez, y nunca confirmado: ${stuck.message.id}`,
    })
  }
}
