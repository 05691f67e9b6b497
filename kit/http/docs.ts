/**
 * `/docs`: the API reference as a page one can try requests from. The page is Scalar's bundle, served from its npm package: nothing
 * comes from the internet, and the Content-Security-Policy says so to the browser, fonts, telemetry and proxies included.
 */

import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import helmet from '@fastify/helmet'
import { Type } from 'typebox'
import { answers } from './openapi.ts'
import type { HttpServer } from './server-types.ts'

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Cauce API</title>
  </head>
  <body>
    <div id="reference"></div>
    <script src="/docs/reference.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`

const settings = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  persistAuth: false,
}

const start = `Scalar.createApiReference('#reference', ${JSON.stringify(settings)})\n`

const onlyFromHere = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'", 'data:', 'blob:'],
    fontSrc: ["'self'", 'data:'],
    styleSrc: ["'self'", "'unsafe-inline'"], // the bundle adds its style sheet as an element
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
}

export async function docsRoutes(app: HttpServer): Promise<void> {
  await app.register(async (scope) => {
    await scope.register(helmet, { contentSecurityPolicy: onlyFromHere, strictTransportSecurity: false })
    const open = { access: 'open', priority: 3 } as const
    const hidden = { hide: true }
    let bundle: Promise<Buffer> | undefined
    const script = { config: { ...open, produces: 'application/javascript' }, schema: hidden }

    const page200 = Type.String({ examples: ['<!doctype html>…'] })
    const shown = {
      tags: ['operations'],
      summary: 'This API as a page',
      produces: ['text/html'],
      ...answers({ 200: page200 }),
    }
    scope.get('/docs', { config: { ...open, produces: 'text/html' }, schema: shown }, (_request, reply) =>
      reply.header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(page),
    )
    scope.get('/docs/start.js', script, (_request, reply) =>
      reply.header('cache-control', 'no-cache').type('application/javascript; charset=utf-8').send(start),
    )
    scope.get('/docs/reference.js', script, async (_request, reply) => {
      bundle ??= readFile(bundlePath())
      return reply
        .header('cache-control', 'public, max-age=3600')
        .type('application/javascript; charset=utf-8')
        .send(await bundle)
    })
  })
}

function bundlePath(): string {
  const entry = createRequire(import.meta.url).resolve('@scalar/fastify-api-reference')
  return join(dirname(entry), 'js', 'standalone.js')
}
