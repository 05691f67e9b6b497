/**
 * The anomalies, each as a fixed script of two sessions, and what they saw. An anomaly is an answer that no serial order of the
 * two transactions could have given. Each script begins with the same rows, on the level that its sessions were given.
 *
 * Names: the three of the SQL standard (dirty read, non-repeatable read, phantom), and the three that it left out (lost update,
 * read skew, write skew), from Berenson and others, "A Critique of ANSI SQL Isolation Levels", 1995.
 */
import type { Session } from './isolation-session.ts'

export const anomalies = [
  'dirty-read',
  'non-repeatable-read',
  'phantom',
  'lost-update',
  'read-skew',
  'write-skew',
] as const
export type AnomalyName = (typeof anomalies)[number]

export interface Script {
  /** What one transaction after the other can lead to, whichever comes first. */
  readonly serial: readonly string[]
  /** Plays both transactions to their end; gives what was seen. A transaction that was refused (40001) is run again. */
  play(one: Session, two: Session): Promise<string>
}

/** `accounts (id, owner, balance)`: two accounts of Ana's with 100 each. `doctors (id, on_call)`: two, both on call. */
export const scripts: Readonly<Record<AnomalyName, Script>> = {
  /** Two reads what one has written and not committed; one takes it back. */
  'dirty-read': {
    serial: ['100'],
    async play(one, two) {
      await one.begin()
      await two.begin()
      await one.run(`UPDATE accounts SET balance = 50 WHERE id = 'a'`)
      const read = await two.number(`SELECT balance FROM accounts WHERE id = 'a'`)
      await one.rollback()
      await two.commit()
      return `${read}`
    },
  },

  /** One reads a row twice; in between two changes it and commits. */
  'non-repeatable-read': {
    serial: ['100, 100', '50, 50'],
    async play(one, two) {
      await one.begin()
      const first = await one.number(`SELECT balance FROM accounts WHERE id = 'a'`)
      await two.begin()
      await two.run(`UPDATE accounts SET balance = 50 WHERE id = 'a'`)
      await two.commit()
      const second = await one.number(`SELECT balance FROM accounts WHERE id = 'a'`)
      await one.commit()
      return `${first}, ${second}`
    },
  },

  /** One counts the rows of a condition twice; in between two adds one. */
  phantom: {
    serial: ['2, 2', '3, 3'],
    async play(one, two) {
      await one.begin()
      const first = await one.number(`SELECT count(*) FROM accounts WHERE owner = 'ana'`)
      await two.begin()
      await two.run(`INSERT INTO accounts VALUES ('c', 'ana', 100)`)
      await two.commit()
      const second = await one.number(`SELECT count(*) FROM accounts WHERE owner = 'ana'`)
      await one.commit()
      return `${first}, ${second}`
    },
  },

  /** Both read a balance, one adds 10 to what it read, two adds 20 to what it read. */
  'lost-update': {
    serial: ['130'],
    async play(one, two) {
      await one.begin()
      await two.begin()
      const [seenByOne, seenByTwo] = [await balanceOf(one), await balanceOf(two)]
      await one.run(setBalance(seenByOne + 10))
      const writing = two.run(setBalance(seenByTwo + 20))
      await two.answeredOrBlocked(writing)
      await one.commit()
      await writing
      await two.commit()
      await two.againIfRefused(async () => two.run(setBalance((await balanceOf(two)) + 20)))
      return two.peek(`SELECT balance FROM accounts WHERE id = 'a'`)
    },
  },

  /** One reads two balances; between its reads two moves 50 from one to the other. */
  'read-skew': {
    serial: ['100 + 100', '50 + 150'],
    async play(one, two) {
      await one.begin()
      const a = await one.number(`SELECT balance FROM accounts WHERE id = 'a'`)
      await two.begin()
      await two.run(`UPDATE accounts SET balance = balance - 50 WHERE id = 'a'`)
      await two.run(`UPDATE accounts SET balance = balance + 50 WHERE id = 'b'`)
      await two.commit()
      const b = await one.number(`SELECT balance FROM accounts WHERE id = 'b'`)
      await one.commit()
      return `${a} + ${b}`
    },
  },

  /** At least one doctor must be on call. Both see two and go, each by a row of their own. */
  'write-skew': {
    serial: ['1'],
    async play(one, two) {
      await one.begin()
      await two.begin()
      const [seenByOne, seenByTwo] = [await onCall(one), await onCall(two)]
      if (seenByOne > 1) await one.run(leave('ana'))
      if (seenByTwo > 1) await two.run(leave('ben'))
      await one.commit()
      await two.commit()
      await two.againIfRefused(async () => {
        if ((await onCall(two)) > 1) await two.run(leave('ben'))
      })
      return two.peek('SELECT count(*) FROM doctors WHERE on_call')
    },
  },
}

const balanceOf = (session: Session) => session.number(`SELECT balance FROM accounts WHERE id = 'a'`)
const setBalance = (to: number) => `UPDATE accounts SET balance = ${to} WHERE id = 'a'`
const onCall = (session: Session) => session.number('SELECT count(*) FROM doctors WHERE on_call')
const leave = (doctor: string) => `UPDATE doctors SET on_call = false WHERE id = '${doctor}'`
