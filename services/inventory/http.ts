/** Inventory over HTTP: read products, define them, count their stock. */
import { Type } from 'typebox'
import { days } from '@cauce/kit/core/clock'
import type { Pool } from '@cauce/kit/database/pool'
import { tokenHeader, type Awaiting } from '@cauce/kit/http/consistency'
import { runCommand, type CommandPort, type CommandSpec } from '@cauce/kit/http/commands'
import { expectedVersions, notModified } from '@cauce/kit/http/etag'
import { answers, NotModified } from '@cauce/kit/http/openapi'
import { cursorOf, DEFAULT_LIMIT, pageFrom, pageOf, pageQuery, textKey } from '@cauce/kit/http/pagination'
import { problem, problemsOf } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { AdjustStock, Product, PutProduct, Sku, skuPattern } from './contract.ts'
import type { AdjustStockCommand, PutProductCommand } from './decide.ts'
import type { Stock } from './tables.ts'
import { findProduct, listProducts, show } from './views.ts'

const inventoryProblems = problemsOf({
  'not-found': { status: 404, title: 'Not found' },
  'precondition-failed': { status: 412, title: 'The resource has changed' },
  'stock-reserved': {
    status: 409,
    title: 'The stock is reserved',
    example: '40 are on hand and 2 reserved: -39 leaves too few',
  },
  'stock-too-large': {
    status: 422,
    title: 'The stock is too large',
    example: '40 and 1000000000 more are too many to count',
  },
})

export interface InventoryRoutes extends Pick<CommandPort, 'queue' | 'ids' | 'tokens'> {
  readonly reads: Pool
  /** Waits for what a request's token says. */
  readonly caughtUp?: Awaiting
}

const tags = ['inventory']
const isSku = textKey(skuPattern)
const ProductSku = Type.Object({ sku: Sku }, { additionalProperties: false })

export function inventoryRoutes(app: HttpServer, routes: InventoryRoutes): void {
  const port: CommandPort = { ...routes, problems: inventoryProblems }
  readRoutes(app, routes)
  putRoute(app, port)
  stockRoute(app, port)
}

function readRoutes(app: HttpServer, { reads, caughtUp }: InventoryRoutes): void {
  const one = {
    tags,
    summary: 'One product',
    params: ProductSku,
    headers: tokenHeader,
    sends: ['ETag'] as const,
    ...answers({ 200: Product, 304: NotModified }, inventoryProblems, ['not-found']),
  }
  app.get('/v1/products/:sku', { config: { access: 'any' }, schema: one }, async (request, reply) => {
    await caughtUp?.(request)
    const row = await findProduct(reads, request.params.sku)
    if (!row) throw problem('not-found', `There is no product ${request.params.sku}`)
    if (notModified(request, reply, row.version)) return reply.send(undefined as never)
    return show(row)
  })

  const many = {
    tags,
    summary: 'Products, by SKU',
    querystring: pageQuery({}),
    headers: tokenHeader,
    ...answers({ 200: pageOf(Product) }),
  }
  app.get('/v1/products', { config: { access: 'any', priority: 3 }, schema: many }, async (request) => {
    await caughtUp?.(request)
    const { limit = DEFAULT_LIMIT } = request.query
    const rows = await listProducts(reads, cursorOf(request.query, isSku) ?? '', limit + 1)
    const { items, nextCursor } = pageFrom(rows, limit, (row) => row.sku)
    return { items: items.map(show), nextCursor }
  })
}

function putRoute(app: HttpServer, port: CommandPort): void {
  const schema = {
    tags,
    summary: 'Define a product, or change its name and price',
    description:
      'Orders placed from then on cost the new price. Its stock stays as it is. Takes no key: a repeat changes nothing.',
    params: ProductSku,
    body: PutProduct,
    sends: ['ETag', 'Cauce-Token'] as const,
    ...answers({ 200: Product }, inventoryProblems, ['precondition-failed']),
  }
  app.put('/v1/products/:sku', { config: { access: ['operator'] }, schema }, (request, reply) => {
    const data: PutProductCommand = {
      ...request.body,
      sku: request.params.sku,
      ifVersions: expectedVersions(request),
    }
    return runCommand(port, request, reply, { type: 'PutProduct', data, answer: answerProduct })
  })
}

function stockRoute(app: HttpServer, port: CommandPort): void {
  const schema = {
    tags,
    summary: 'Add to the stock of a product, or take from it',
    description: 'What is reserved stays: less than that cannot be left.',
    params: ProductSku,
    body: AdjustStock,
    sends: ['ETag'] as const,
    ...answers({ 200: Product }, inventoryProblems, [
      'not-found',
      'precondition-failed',
      'stock-reserved',
      'stock-too-large',
    ]),
  }
  app.post('/v1/products/:sku/stock', { config: { access: ['operator'], key: true }, schema }, (request, reply) => {
    const data: AdjustStockCommand = {
      ...request.body,
      sku: request.params.sku,
      ifVersions: expectedVersions(request),
    }
    return runCommand(port, request, reply, { type: 'AdjustStock', data, keyTtlMs: days(1), answer: answerProduct })
  })
}

const answerProduct: CommandSpec['answer'] = (reply) => {
  const row = reply as Stock
  return { status: 200, headers: { etag: `"${row.version}"` }, body: show(row) }
}
