/** Keeps the baskets in a variable of the process. It is gone with the process, and another process has another one. */

export interface Request {
  /** Who asks; checked already. */
  readonly customer: string
  /** What is put into the basket. */
  readonly add: string
  /** What the last answer told the customer's browser to keep, if it did. Whoever has the browser can change it. */
  readonly cookie: string | undefined
}

export interface Answer {
  /** The whole basket, in the order in which it was filled. */
  readonly basket: readonly string[]
  /** For the browser to keep and to send along next time; nothing changes when it is left out. */
  readonly cookie?: string
}

/** What a server process has when it starts. */
export interface Server {
  /** The same in every process of the shop, and known to nobody else. */
  readonly secret: string
  /** One statement on the shop's database: the table `items (position bigserial, customer text, item text)`. */
  sql<Row extends object>(statement: string, values?: readonly unknown[]): Promise<Row[]>
}

export type Handle = (request: Request) => Promise<Answer>

/** Called once in each process, when it starts. */
export type Start = (server: Server) => Handle

const start: Start = () => {
  const baskets = new Map<string, string[]>()
  return async ({ customer, add }) => {
    const basket = [...(baskets.get(customer) ?? []), add]
    baskets.set(customer, basket)
    return { basket }
  }
}

export default start
