/** Writes the order, then tells the broker. Whoever is killed between the two has an order that nobody hears of. */

export interface Order {
  readonly id: string
  readonly total: number
}

/** What others are to hear of an order. The broker may get it several times: whoever reads it drops an `id` seen before. */
export interface Message {
  readonly id: string
  readonly orderId: string
}

/** A database and a broker: two systems, and no transaction that spans both. */
export interface Shop {
  /**
   * One statement, always on the same connection: BEGIN and COMMIT are statements too. The process may be killed before it.
   * The tables: `orders (id text PRIMARY KEY, total bigint)`, where each order has to be; and for whatever you want to note
   * `outbox (id text PRIMARY KEY, order_id text, published boolean DEFAULT false)`, which is empty.
   */
  sql<Row extends object>(statement: string, values?: readonly unknown[]): Promise<Row[]>
  /** Sends a message; the broker has it when this resolves. The process may be killed before it. */
  publish(message: Message): Promise<void>
}

export interface OrderTaking {
  /** Takes an order: afterwards it is in `orders`, and sooner or later the broker has its message. */
  placeOrder(order: Order): Promise<void>
  /**
   * Publishes what is still to be published, and returns. Called when the process has been started again, until it publishes
   * nothing more; it may be killed like all else. Leave it out when there is nothing to do.
   */
  relay?(): Promise<void>
}

/** Called once when a process starts. */
export type Open = (shop: Shop) => OrderTaking

const writeThenPublish: Open = ({ sql, publish }) => ({
  async placeOrder({ id, total }) {
    await sql('INSERT INTO orders (id, total) VALUES ($1, $2)', [id, total])
    await publish({ id: `placed-${id}`, orderId: id })
  },
})

export default writeThenPublish
