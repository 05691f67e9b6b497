/** The audit as a table: what was checked, what was found, whether that is right. */
import type { Audit } from './http/api.ts'
import { table } from './output.ts'
import type { Shell } from './shell.ts'

type Mark = 'ok' | 'wrong' | 'info'

export function showAudit({ ok, orders, money, stock, log, tasks }: Audit, { t, output: { colour } }: Shell): string {
  const paint = { ok: colour.green, wrong: (text: string) => colour.red(colour.bold(text)), info: colour.dim }
  const row = (name: string, found: string, mark: Mark) => [name, found, paint[mark](t(`audit.mark.${mark}`))]
  const none = (name: string, count: number) => row(name, String(count), count === 0 ? 'ok' : 'wrong')
  const holds = (name: string, yes: boolean) => row(name, t(yes ? 'audit.yes' : 'audit.no'), yes ? 'ok' : 'wrong')
  const info = (name: string, count: number) => row(name, String(count), 'info')
  const rows = [
    row(t('audit.orders'), t('audit.ordersOf', orders), 'info'),
    none(t('audit.stuck'), orders.stuck),
    ...(orders.contradictory === undefined ? [] : [none(t('audit.contradictory'), orders.contradictory)]),
    holds(t('audit.balanced'), money.balanced),
    none(t('audit.negativeAccounts'), money.negativeAccounts),
    none(t('audit.duplicateCharges'), money.duplicateCharges),
    holds(t('audit.stockBalanced'), stock.balanced),
    none(t('audit.stockNegative'), stock.negative),
    none(t('audit.gaps'), log.gaps),
    info(t('audit.unapplied'), log.unapplied),
    info(t('audit.parked'), log.parked),
    info(t('audit.dead'), tasks.dead),
  ]
  const verdict = ok ? colour.green(t('audit.ok')) : colour.red(colour.bold(t('audit.wrong')))
  return `${table({ head: [t('audit.check'), t('audit.found'), ''], rows, right: [1], colour })}\n\n${verdict}`
}
