import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { makeModule, programFile } from './program.js'

const textOf = (program: string) =>
  readdirSync(dirname(program))
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => readFileSync(join(dirname(program), name), 'utf8'))
    .join('\n')

test('what is made knows where its sources are, and is made once', async () => {
  const program = await programFile('cli/main.ts')
  const madeAt = statSync(program).mtimeMs
  expect(textOf(program)).not.toContain('import.meta.url')
  expect(await programFile('cli/main.ts')).toBe(program)
  expect(statSync(program).mtimeMs).toBe(madeAt)
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--version'])
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('what was made makes others as the sources do', async () => {
  const program = await programFile('server/main.ts')
  expect(textOf(program)).toContain(String.raw`/\bimport\.meta\.url\b/g`)
})

test('what a crash of the machine left empty is made anew', async () => {
  const places = [mkdtempSync(join(tmpdir(), 'cauce-programs-'))]
  const program = await programFile('sandbox/main.ts', places)
  writeFileSync(program, '')
  expect(await programFile('sandbox/main.ts', places)).toBe(program)
  expect(statSync(program).size).toBeGreaterThan(0)
  rmSync(places[0]!, { recursive: true })
})

test('somebody’s own file finds the packages that we have, wherever it lies', async () => {
  const place = mkdtempSync(join(tmpdir(), 'cauce-programs-'))
  const file = join(place, 'mine.ts')
  writeFileSync(
    file,
    `import { Mutex } from 'async-mutex'
     import { Type } from 'typebox'
     import { hash32 } from '@cauce/kit/core/hash'
     export const found: string = [typeof Mutex, typeof Type.String, typeof hash32].join()`,
  )
  const made = (await import(await makeModule(file, place))) as { found: string }
  expect(made.found).toBe('function,function,function')
  rmSync(place, { recursive: true })
})

test('a program that is not there is an error that names it', async () => {
  await expect(programFile('server/nothing.ts')).rejects.toThrow('server/nothing.ts')
})
