#!/usr/bin/env node
import { pathToFileURL } from 'node:url'
import { programFile } from '@cauce/kit/program/program.js'

process.setSourceMapsEnabled(true)
await import(pathToFileURL(await programFile('cli/main.ts')).href)
