/** The tables of the naive shop, in a schema of their own. */
import type { Pool } from 'pg'

// Mistake 1: the rules live in the program only. No CHECK keeps stock or balance above zero, no UNIQUE keeps a reference single.
const tables = `
  CREATE SCHEMA IF NOT EXISTS naive;
  CREATE TABLE IF NOT EXISTS naive.products (sku text PRIMARY KEY, price integer NOT NULL, stock integer NOT NULL);
  CREATE TABLE IF NOT EXISTS naive.wallets (customer text PRIMARY KEY, balance integer NOT NULL);
  CREATE TABLE IF NOT EXISTS naive.orders (
    id serial PRIMARY KEY, reference text NOT NULL, customer text NOT NULL, lines jsonb NOT NULL, ship_to jsonb NOT NULL,
    method text NOT NULL, charge text, total integer NOT NULL, status text NOT NULL
  );`

export const createTables = async (db: Pool): Promise<void> => void (await db.query(tables))

export interface Product {
  readonly sku: string
  readonly price: number
  readonly stock: number
}

export interface Line {
  readonly sku: string
  readonly quantity: number
}

export interface NewOrder {
  /** The customer's own name for the order: the number of the cart. */
  readonly reference: string
  readonly customer: string
  readonly lines: readonly Line[]
  readonly payment: { readonly method: 'wallet' } | { readonly method: 'card'; readonly token: string }
  readonly shipTo: Readonly<Record<string, string>>
}

export interface OrderRow {
  readonly id: number
  readonly reference: string
  readonly customer: string
  readonly lines: readonly Line[]
  readonly ship_to: NewOrder['shipTo']
  readonly method: 'wallet' | 'card'
  /** The key of the charge, once there is one. */
  readonly charge: string | null
  readonly total: number
  readonly status: 'new' | 'paid' | 'completed' | 'cancelled'
}
