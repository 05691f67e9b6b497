/** Writes on the primary and reads from the standby, which may not have heard of it yet. */

/** One statement, always on the same connection. */
export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

/** Both have the table `prices (sku, price)` with one row, 'LAMP'; the standby gets every change a little later. */
export interface Servers {
  /** synchronous_commit is `local`: a COMMIT waits for nobody else, unless the session sets it otherwise. */
  readonly primary: Sql
  /** Reads only. */
  readonly standby: Sql
}

export interface Shop {
  /** Sets the price of LAMP. What it gives, if anything, comes with the answer; whoever read it may send it along. */
  write(price: number): Promise<string | undefined>
  /** The price of LAMP. `token` is what the write gave. */
  read(token: string | undefined): Promise<number>
}

/** Called twice: writer and reader are two processes, which share nothing but the token. */
export type Connect = (servers: Servers) => Shop

const connect: Connect = ({ primary, standby }) => ({
  async write(price) {
    await primary('UPDATE prices SET price = $1', [price])
    return undefined
  },
  async read() {
    const [lamp] = await standby<{ price: number }>('SELECT price FROM prices')
    return lamp!.price
  },
})

export default connect
