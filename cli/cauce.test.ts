/** The real command, as a process. */
import { spawn } from 'node:child_process'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryDirectory } from './testing.ts'
import { version } from './version.ts'

const cauce = fileURLToPath(new URL('bin/cauce.js', import.meta.url))

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const cwd = temporaryDirectory()
  const child = spawn(process.execPath, [cauce, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (printed.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed.err += chunk.toString()))
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, ...printed }))
  })
  return { child, printed, ended }
}

/** A server that never answers. */
async function listen() {
  const sockets = new Set<Socket>()
  const server = createServer()
  const asked = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined).once('data', () => resolve())
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => void server.close(() => resolve()))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close }
}

test('prints its version', async () => {
  expect(await run(['--version']).ended).toEqual({ code: 0, out: `${version}\n`, err: '' })
})

test('a mistake of usage is 2, in the language of LANG', async () => {
  const { code, out, err } = await run(['audti'], { LANG: 'es_ES.UTF-8' }).ended
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain('No existe la orden audti. ¿Querías decir audit?')
})

test('a server that is not there is 3', async () => {
  const { url, close } = await listen()
  await close()
  const { code, out, err } = await run(['audit'], { CAUCE_URL: url }).ended
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(err).toContain(`There is no answer from ${url} (ECONNREFUSED)`)
})

test('Ctrl-C is 130', async () => {
  const { url, asked, close } = await listen()
  const { child, ended } = run(['audit'], { CAUCE_URL: url })
  await asked
  child.kill('SIGINT')
  expect(await ended).toMatchObject({ code: 130, out: '', err: '\nInterrupted.\n' })
  await close()
})

test('a token is printed bare', async () => {
  const { code, out, err } = await run(['token', '--subject', 'alice']).ended
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
})

test('a setting that the server refuses is its exit code 2', async () => {
  const { code, err } = await run(['up', '--port', '0'], { CAUCE_LANES: 'many' }).ended
  expect(code).toBe(2)
  expect(err).toContain('CAUCE_LANES')
})
