/** One decision of the product's services as a row of the trail: what came in, who decided, what is saved, what shall happen. */
import type { Step } from './effects-found.ts'

export interface Decided {
  readonly service: string
  readonly kind: 'command' | 'message' | 'task'
  readonly type: string
  /** The rows it looked at, as JSON, by table and key. */
  readonly rows: ReadonlyMap<string, string | undefined>
  /** As JSON. */
  readonly decision: string
}

type Row = Readonly<Record<string, unknown>>

/** An accepted decision in JSON; of a rejected one nothing of this is there. */
interface Accepted {
  readonly changes?: readonly { readonly table: string; readonly row?: Row }[]
  readonly messages?: readonly { readonly type: string }[]
  readonly tasks?: readonly { readonly task?: { readonly type: string }; readonly timer?: { readonly type: string } }[]
}

/** What happens outside because of it. */
const effects: Readonly<Record<string, string>> = {
  'authorize-card': '€',
  'capture-card': '€',
  'book-shipment': '⌂',
  'send-confirmation': '✉',
}

const shownColumns = ['status', 'doing', 'onHand', 'reserved']

export function stepOf({ service, kind, type, rows, decision }: Decided): Step {
  const { changes = [], messages = [], tasks = [] } = JSON.parse(decision) as Accepted
  const state = changes.map(({ table, row }) => changeOf(table, row ?? {}, rows))
  const asked = tasks.flatMap(({ task, timer }) => task ?? timer ?? []).map((each) => named(each.type))
  return {
    input: kind === 'task' ? `${named(type)}: ✓` : type,
    process: service,
    state: state.join(', ') || '—',
    output: [...messages.map((message) => message.type), ...asked].join(', ') || '—',
  }
}

const named = (type: string): string => (effects[type] === undefined ? type : `${effects[type]} ${type}`)

function changeOf(table: string, row: Row, rows: Decided['rows']): string {
  const before = [...rows].find(([name, text]) => name.startsWith(`${table} `) && isSameRow(text, row))?.[1]
  const was = before === undefined ? undefined : (JSON.parse(before) as Row)
  const changed = shownColumns.filter((column) => row[column] !== undefined && row[column] !== was?.[column])
  const moved = (changed.length > 0 || !was ? changed : ['version']).map((column) => {
    const value = `${was ? `${show(was[column])} → ` : ''}${show(row[column])}`
    return column === 'status' ? value : `${column} ${value}`
  })
  return `${table === 'stock' ? '▣ ' : ''}${table} ${moved.join(' ')}`.trim()
}

const show = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? `${value}` : '·')

function isSameRow(text: string | undefined, row: Row): boolean {
  if (text === undefined) return false
  const other = JSON.parse(text) as Row
  const key = 'id' in row ? 'id' : 'orderId' in row ? 'orderId' : 'sku'
  return other[key] === row[key]
}
