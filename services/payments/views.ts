/** Payments' reads: SQL, the shapes of an account and a payment outside, and the check of the books. */
import type { Pool } from '@cauce/kit/database/pool'
import type { Statement } from '@cauce/kit/database/session'
import { snakeCase, type Table } from '@cauce/kit/database/table'
import type * as outside from './contract.ts'
import { account, payment, type Account, type Payment, type Refund } from './tables.ts'

const named = (name: string, text: string): Statement => ({ name: `payments.view.${name}`, text })

const select = <Row extends object>({ name, columns }: Table<Row>): string => {
  const list = Object.keys(columns).map((column) => `${snakeCase(column)} AS "${column}"`)
  return `SELECT ${list.join(', ')} FROM payments.${name}`
}

const accountById = named('account_by_id', `${select(account)} WHERE id = $1`)
// A void that came first left a row that says so, and no payment.
const paymentById = named('payment_by_id', `${select(payment)} WHERE id = $1 AND customer IS NOT NULL`)

/** An account as the API shows it. */
export function showAccount({ id, currency, balance, held, version }: Account): outside.Account {
  return { id, currency: currency as outside.Account['currency'], balance, held, version }
}

/** A payment whose amount is known. */
export type AskedPayment = Payment & {
  readonly [Name in 'customer' | 'currency' | 'method']: NonNullable<Payment[Name]>
}

/** A payment as the API shows it. */
export function showPayment(row: AskedPayment): outside.Payment {
  const { id, customer, amount, currency, method, status, refunded, reference, version } = row
  return {
    id,
    customer,
    amount,
    currency: currency as outside.Payment['currency'],
    method,
    status,
    refunded,
    reference,
    version,
  }
}

/** A refund as the API shows it. */
export function showRefund({ id, paymentId, amount, currency, reason, status }: Refund): outside.Refund {
  return { id, payment: paymentId, amount, currency: currency as outside.Refund['currency'], reason, status }
}

export async function findAccount(pool: Pool, id: string): Promise<Account | undefined> {
  const [row] = await pool.query<Account>(accountById, [id])
  return row
}

export async function findPayment(pool: Pool, id: string): Promise<AskedPayment | undefined> {
  const [row] = await pool.query<AskedPayment>(paymentById, [id])
  return row
}

export interface PaymentsAudit {
  /** Every account is the sum of its postings, and every payment's status is what its postings say (I1). */
  readonly balanced: boolean
  /** Accounts below zero, `world` excepted. */
  readonly negativeAccounts: number
  /** Payments that were captured more than once (I2). */
  readonly duplicateCharges: number
  /** Payments whose money is held now. */
  readonly held: number
  /** What is paid for by cards whose processor should be asked something, while no task will. At most 1,000. */
  readonly stranded: readonly string[]
  /** At most 20 of the accounts and payments that are wrong, for people: what they are and what was found. */
  readonly faults: readonly string[]
}

// Each check is one statement, so what it compares is of one moment whoever asks. Postings are summed where they are read, per
// pair of accounts and per payment: what is joined then is small. A million postings take a few seconds.

/** Every account of the ledger: what its row shows (a house account has none) and what its postings say. */
const accounts = `WITH pairs AS (
    SELECT debit, credit, currency, sum(amount) AS amount FROM payments.postings GROUP BY debit, credit, currency
  ), posted AS (
    SELECT name, currency, sum(amount) AS posted FROM (
      SELECT credit AS name, currency, amount FROM pairs UNION ALL SELECT debit, currency, -amount FROM pairs
    ) AS sides GROUP BY name, currency
  ), shown AS (
    SELECT 'wallet:' || id AS name, currency, balance AS shown FROM payments.accounts
    UNION ALL SELECT 'held:' || id, currency, held FROM payments.accounts
  ), accounts AS (
    SELECT name, coalesce(posted, 0) AS posted, name <> 'world:' || currency AS limited,
      CASE WHEN name IN ('world:' || currency, 'sales:' || currency) THEN posted ELSE coalesce(shown, 0) END AS shown
    FROM posted FULL JOIN shown USING (name, currency)
  )`

/**
 * Every payment: its status, what was moved for it, and whether that is what the status says. What a card's processor has not
 * given back yet is counted in the payment and not posted.
 */
const payments = `WITH moved AS (
    SELECT subject AS id, count(*) FILTER (WHERE kind IN ('capture', 'card-capture')) AS captures,
      coalesce(sum(amount) FILTER (WHERE kind = 'hold'), 0) AS held,
      coalesce(sum(amount) FILTER (WHERE kind IN ('capture', 'card-capture')), 0) AS captured,
      coalesce(sum(amount) FILTER (WHERE kind = 'release'), 0) AS released,
      coalesce(sum(amount) FILTER (WHERE kind IN ('refund', 'card-refund')), 0) AS refunded
    FROM payments.postings WHERE kind NOT IN ('deposit', 'transfer') GROUP BY subject
  ), under_way AS (
    SELECT payment_id AS id, sum(amount) AS pending FROM payments.refunds WHERE status = 'pending' GROUP BY payment_id
  ), payments AS (
    SELECT id, status, captures, held, captured, released, m.refunded, coalesce(CASE
        WHEN status = 'authorized' AND method = 'wallet' THEN (held, captured, released, m.refunded) = (amount, 0, 0, 0)
        WHEN status IN ('captured', 'refunded') THEN
          (held, captured, released) = (CASE method WHEN 'wallet' THEN amount ELSE 0 END, amount, 0)
          AND m.refunded = p.refunded - coalesce(r.pending, 0) AND (status = 'captured' OR m.refunded = amount)
        WHEN status = 'voided' AND method = 'wallet' THEN (held, captured, released, m.refunded) = (amount, 0, amount, 0)
        ELSE m.id IS NULL AND r.id IS NULL END, false) AS consistent
    FROM payments.payments p FULL JOIN moved m USING (id) LEFT JOIN under_way r USING (id)
  )`

const accountsAudit = named(
  'audit_accounts',
  `${accounts} SELECT coalesce(bool_and(shown = posted), true) AS balanced,
     count(*) FILTER (WHERE limited AND least(shown, posted) < 0) AS negative FROM accounts`,
)
const paymentsAudit = named(
  'audit_payments',
  `${payments} SELECT coalesce(bool_and(consistent), true) AS consistent, count(*) FILTER (WHERE captures > 1) AS duplicates,
     count(*) FILTER (WHERE status = 'authorized') AS held FROM payments`,
)
const accountFaults = named(
  'audit_account_faults',
  `${accounts} SELECT name || ' shows ' || shown || ', its postings say ' || posted AS fault FROM accounts
   WHERE shown <> posted OR limited AND posted < 0 ORDER BY name LIMIT 10`,
)
const paymentFaults = named(
  'audit_payment_faults',
  `${payments} SELECT format('%s is %s; held, captured, released, refunded: %s, %s, %s, %s', id, coalesce(status, 'unknown'),
     coalesce(held, 0), coalesce(captured, 0), coalesce(released, 0), coalesce(refunded, 0)) AS fault FROM payments
   WHERE NOT consistent ORDER BY id LIMIT 10`,
)

/** A step that no task takes (the task died, or was discarded), and what waits behind a step while there is none. */
const stranded = named(
  'audit_stranded',
  `SELECT p.order_id AS "orderId" FROM payments.payments p
   WHERE p.doing IS NOT NULL
     AND NOT EXISTS (SELECT FROM payments.tasks t WHERE t.key = p.order_id AND t.type = p.doing || '-card' AND t.state = 'open')
   UNION
   SELECT p.order_id FROM payments.payments p
   WHERE p.doing IS NULL AND (p.wanted IS NOT NULL OR json_array_length(p.refunding) > 0)
   UNION
   SELECT p.order_id FROM payments.refunds r JOIN payments.payments p ON p.id = r.payment_id
   WHERE r.status = 'pending' AND NOT p.refunding::jsonb ? r.id
   ORDER BY 1 LIMIT 1000`,
)

export async function audit(query: Pool['query']): Promise<PaymentsAudit> {
  const [money] = await query<{ balanced: boolean; negative: number }>(accountsAudit, [])
  const [paid] = await query<{ consistent: boolean; duplicates: number; held: number }>(paymentsAudit, [])
  if (!money || !paid) throw new Error('The audit of payments gave no row')
  const rows = await query<{ orderId: string }>(stranded, [])
  const balanced = money.balanced && paid.consistent
  const right = balanced && money.negative === 0
  const lists = right
    ? []
    : [await query<{ fault: string }>(accountFaults, []), await query<{ fault: string }>(paymentFaults, [])]
  const faults = lists.flat().map(({ fault }) => fault)
  const { negative: negativeAccounts } = money
  const { duplicates: duplicateCharges, held } = paid
  return {
    balanced,
    negativeAccounts,
    duplicateCharges,
    held,
    stranded: rows.map(({ orderId }) => orderId),
    faults,
  }
}
