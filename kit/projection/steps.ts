/**
 * What is to be done next for a view, from the rows of its generations. Pure: any process asks, one of them does it.
 *
 *   (none) ──begin──▶ seeding ──seed…──▶ tailing ──switch──▶ active ──(the next one)──▶ retired ──drop──▶ (none)
 *              └─ built from the log ───────▲   └── discarded: another definition ────────▲
 *
 * A process that dies leaves rows that say how far it came, and another one goes on from there.
 */

export type GenerationState = 'seeding' | 'tailing' | 'active' | 'retired'

/** One row of the table `views`. */
export interface Generation {
  readonly name: string
  readonly generation: number
  readonly state: GenerationState
  /** Hash of the definition it is made with. */
  readonly definition: string
  /** Its tables, without the number behind them: those of an older definition may be others. */
  readonly tables: readonly string[]
  /** The last key that was copied from the state. */
  readonly seededTo: string
  /** Rows copied, of how many there were. */
  readonly done: number
  readonly total: number
  /** Since when it is in this state, and how long that is by the database's clock. */
  readonly since: number
  readonly ageMs: number
  /** An operator wants it built anew. */
  readonly rebuild: boolean
  /** Why some of its lanes stand still. */
  readonly error: string | null
}

export type Step =
  | { readonly kind: 'begin' | 'seed' | 'switch' | 'discard' | 'drop'; readonly generation: number }
  | undefined

/** Readers look which generation is read at least this often (reader.ts), and a statement of theirs takes 5 s at most. */
export const RETIRED_MS = 10_000

export const isBuilding = ({ state }: Pick<Generation, 'state'>): boolean => state === 'seeding' || state === 'tailing'

/** `starting`: the definition of this process has not been looked at yet. Only then may it replace another one. */
export function nextStep(rows: readonly Generation[], definition: string, starting: boolean): Step {
  const active = rows.find(({ state }) => state === 'active')
  const building = rows.find(isBuilding)
  const next = Math.max(0, ...rows.map(({ generation }) => generation)) + 1
  if (building) {
    const { generation, state } = building
    if (building.definition === definition) return { kind: state === 'seeding' ? 'seed' : 'switch', generation }
    return starting ? { kind: 'discard', generation } : undefined
  }
  const mine = active?.definition === definition
  if (!active || (starting && !mine) || (mine && active.rebuild)) return { kind: 'begin', generation: next }
  const old = rows.find(({ state, ageMs }) => state === 'retired' && ageMs >= RETIRED_MS)
  return old && { kind: 'drop', generation: old.generation }
}

/** The generations that a process with this definition keeps up to date; the one being built first (J3). */
export function appliedBy(rows: readonly Generation[], definition: string): Generation[] {
  const order: readonly GenerationState[] = ['tailing', 'active', 'retired']
  return rows
    .filter((row) => row.definition === definition && order.includes(row.state))
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
}
