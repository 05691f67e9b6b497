/** Answers 202, then remembers the job in memory. Whoever is told “accepted” has a promise that dies with the process. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

/** What the process has. It may be killed before each statement, before each answer, and before and after each charge. */
export interface Shop {
  /**
   * One statement on any connection. The tables: `orders (id text PRIMARY KEY, status text)`, where an order is done when its
   * status is `paid`; and, to be used or not, `jobs (id bigserial PRIMARY KEY, order_id text)`, which is empty.
   */
  readonly sql: Sql
  /** Several statements on one connection, between BEGIN and COMMIT. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** Asks the card processor, which is slow. Asked again for the same order it charges nothing, and answers at once. */
  charge(orderId: string): Promise<void>
}

export interface Handlers {
  /** POST /orders, with an id that the client has chosen. `answer` sends the status; 2xx is a promise that the order will be paid. */
  post(orderId: string, answer: (status: number) => Promise<void>): Promise<void>
  /**
   * Called when a process starts, before it takes requests: does what an earlier one has left undone, and resolves when
   * nothing is left. Leave it out when there is nothing to do.
   */
  resume?(): Promise<void>
}

/** Called once when a process starts. */
export type Open = (shop: Shop) => Handlers

const answerThenEnqueue: Open = ({ sql, charge }) => {
  const jobs: string[] = []
  async function work(): Promise<void> {
    for (let order = jobs.shift(); order !== undefined; order = jobs.shift()) {
      await charge(order)
      await sql(`INSERT INTO orders VALUES ($1, 'paid')`, [order])
    }
  }
  return {
    async post(order, answer) {
      await answer(202)
      jobs.push(order)
      await work()
    },
  }
}

export default answerThenEnqueue
