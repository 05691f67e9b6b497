/** A shop that is put to the test: how it is started, how it is used, and what it says of itself afterwards. */
import type { Audit } from '../../http/api.ts'
import type { Plan } from '../plan.ts'
import type { Progress } from '../progress.ts'
import type { Shell } from '../../shell.ts'
import type { OwnProcess } from './processes.ts'
import type { Stage } from './stage.ts'

export type SideName = 'naive' | 'cauce'

/** An order, as the shop shows it. */
export interface SeenOrder {
  readonly id: string
  /** Its place in the plan; undefined when nobody who ordered was told of it. */
  readonly index: number | undefined
  readonly state: 'completed' | 'cancelled' | 'open'
  /** Why it was cancelled, when the shop says so. */
  readonly code?: string
  /** What the card processor knows its payment by. */
  readonly paymentId: string
  /** What the carrier and the mails call it. */
  readonly label: string
}

export interface SideSeen {
  /** The id that each customer was told, by the order's place in the plan. */
  readonly accepted: ReadonlyMap<number, string>
  /** Customers that were told no, by code. */
  readonly refused: ReadonlyMap<string, number>
  readonly orders: readonly SeenOrder[]
  /** Wallets, by the customer's place in the plan. */
  readonly balances: readonly number[]
  readonly stock: ReadonlyMap<string, number>
  /** Its own audit; null for a shop without one. */
  readonly audit: Audit | null
}

export interface Side {
  /** Starts it on a port (0: any). Resolves when it serves. */
  launch(port: number): Promise<OwnProcess>
  /** Whether it can do its work. */
  serves(): Promise<boolean>
  /** Products and wallets. */
  prepare(): Promise<void>
  /** Places every order, and waits for what becomes of them. */
  play(onAnswered: (count: number) => void): Promise<void>
  look(): Promise<SideSeen>
}

export interface SideOptions {
  readonly shell: Shell
  readonly stage: Stage
  readonly plan: Plan
  readonly sandboxUrl: string
  readonly concurrency: number
  readonly progress: Progress
}
