#!/usr/bin/env node
// Runs the TypeScript sources as they are: Node 22.18 and later strip types themselves, older ones need tsx.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) await import('tsx')
await import('../main.ts')
