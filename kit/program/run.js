#!/usr/bin/env node
/**
 * Runs a program of this repository: `node kit/program/run.js simulator/main.ts --seed 1`. It finds itself in argv[1] as what was
 * made of it, so that it can start more of its kind.
 */
import { pathToFileURL } from 'node:url'
import { programFile } from './program.js'

const [node = '', , program = '', ...args] = process.argv
process.setSourceMapsEnabled(true)
const file = await programFile(program)
process.argv = [node, file, ...args]
await import(pathToFileURL(file).href)
