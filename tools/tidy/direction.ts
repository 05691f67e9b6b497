/** Rules of import direction: the diagram of `layers.ts`, the ranks of a service, how packages name each other, tests. */

import { isTestCode, layerOf, mayImport, rankOf, serviceRanks } from '../layers.ts'
import { importsOf, type Import } from './imports.ts'
import { isCode, type Rule, type Violation } from './rule.ts'

/** What is wrong with imports between two files of the repository; `undefined` where nothing is. */
function judge(problemOf: (edge: Import & { to: string }) => string | undefined): Rule['check'] {
  return (files) =>
    importsOf(files).flatMap((edge): Violation[] => {
      const { from, line, to, started } = edge
      const what = to === undefined || started ? undefined : problemOf({ ...edge, to })
      return what === undefined ? [] : [{ path: from, line, what }]
    })
}

export const importDirection: Rule = {
  name: 'imports follow the diagram',
  reason: 'A part that knows only what is below it can be read, tested and replaced alone.',
  check: (files) => [
    ...files
      .filter((file) => isCode(file) && !layerOf(file.path))
      .map(({ path }) => ({ path, line: 1, what: 'belongs to no layer: say in tools/layers.ts whom it may import' })),
    ...judge(({ from, to }) => {
      const layer = layerOf(from)
      return !layer || mayImport(from, to) ? undefined : `imports ${to}, which ${layer.name} must not know`
    })(files),
  ],
  violating: [
    { files: { 'kit/core/money.ts': `import '../log/port.ts'`, 'kit/log/port.ts': '' }, at: ['kit/core/money.ts:1'] },
    {
      files: { 'kit/task/runner.ts': `\nimport type { Log } from '../log/port.ts'`, 'kit/log/port.ts': '' },
      at: ['kit/task/runner.ts:2'],
    },
    {
      files: { 'services/payments/decide.ts': `import '@cauce/orders/contract'`, 'services/orders/contract.ts': '' },
      at: ['services/payments/decide.ts:1'],
    },
    {
      files: { 'kit/consumer/port.ts': `import '../log/memory.ts'`, 'kit/log/memory.ts': '' },
      at: ['kit/consumer/port.ts:1'],
    },
    {
      files: { 'cli/audit.ts': `await import('@cauce/kit/database/pool')`, 'kit/database/pool.ts': '' },
      at: ['cli/audit.ts:1'],
    },
    {
      files: { 'server/wire.ts': `export * from '@cauce/orders/decide'`, 'services/orders/decide.ts': '' },
      at: ['server/wire.ts:1'],
    },
    { files: { 'kit/gadgets/one.ts': '' }, at: ['kit/gadgets/one.ts:1'] },
  ],
  passing: [
    { 'kit/task/runner.ts': `import '../core/clock.ts'`, 'kit/core/clock.ts': '' },
    { 'kit/task/runner.test.ts': `import '../log/memory.ts'`, 'kit/log/memory.ts': '' },
    { 'kit/pipeline/run.ts': `import '../log/port.ts'`, 'kit/log/port.ts': '' },
    { 'services/orders/saga.ts': `import '@cauce/payments/contract'`, 'services/payments/contract.ts': '' },
    { 'server/wire.ts': `import '@cauce/orders/service'`, 'services/orders/service.ts': '' },
    { 'kit/consumer/port.ts': `import '../log/message.ts'`, 'kit/log/message.ts': '' },
    { 'cli/up.ts': `spawn(new URL('../server/main.ts', import.meta.url))`, 'server/main.ts': '' },
    { 'cli/order.ts': `// import '@cauce/kit/database/pool'\nimport 'pg'`, 'kit/database/pool.ts': '' },
  ],
}

export const serviceDirection: Rule = {
  name: 'inside a service imports run down',
  reason: 'Every service reads in the same order, from its wiring to its contract, and its decisions stay pure.',
  check: judge(({ from, to }) => {
    const [upper, lower] = [rankOf(from), rankOf(to)]
    if (upper === undefined || lower === undefined || lower >= upper || serviceOf(from) !== serviceOf(to))
      return undefined
    return `ranks as ${serviceRanks[upper]?.name} and imports ${to} (${serviceRanks[lower]?.name}), which stands above it`
  }),
  violating: [
    {
      files: { 'services/orders/decide.ts': `import './views.ts'`, 'services/orders/views.ts': '' },
      at: ['services/orders/decide.ts:1'],
    },
    {
      files: { 'services/orders/tables.ts': `import './decide-cancel.ts'`, 'services/orders/decide-cancel.ts': '' },
      at: ['services/orders/tables.ts:1'],
    },
    {
      files: { 'services/payments/ledger.ts': `import './decide.ts'`, 'services/payments/decide.ts': '' },
      at: ['services/payments/ledger.ts:1'],
    },
  ],
  passing: [
    { 'services/orders/service.ts': `import './http.ts'`, 'services/orders/http.ts': '' },
    { 'services/orders/http-lists.ts': `import './views.ts'`, 'services/orders/views.ts': '' },
    { 'services/payments/decide.ts': `import './ledger.ts'`, 'services/payments/ledger.ts': '' },
    { 'services/orders/decide.test.ts': `import './service.ts'`, 'services/orders/service.ts': '' },
  ],
}

export const packageNames: Rule = {
  name: 'packages are imported by name, files of one package by path',
  reason: 'A relative path across packages hides a dependency that package.json does not declare.',
  check: judge(({ from, to, specifier }) => {
    const [here, there] = [packageOf(from), packageOf(to)]
    if (here === there)
      return specifier.startsWith('.') ? undefined : `names its own package: import ${to} by a relative path`
    const dev = here === undefined || there === undefined || /\.m?js$/.test(from)
    return dev || !specifier.startsWith('.') ? undefined : `reaches into another package: import ${to} as @cauce/…`
  }),
  violating: [
    { files: { 'server/main.ts': `import '../kit/core/clock.ts'`, 'kit/core/clock.ts': '' }, at: ['server/main.ts:1'] },
    { files: { 'kit/log/port.ts': `import '@cauce/kit/core/ids'`, 'kit/core/ids.ts': '' }, at: ['kit/log/port.ts:1'] },
  ],
  passing: [
    { 'server/main.ts': `import '@cauce/kit/core/clock'`, 'kit/core/clock.ts': '' },
    { 'kit/log/port.ts': `import '../core/ids.ts'`, 'kit/core/ids.ts': '' },
    { 'tools/try.ts': `import '../kit/core/ids.ts'`, 'kit/core/ids.ts': '' },
  ],
}

export const testSupport: Rule = {
  name: 'product code imports no test code',
  reason: 'Test code may break every other rule, so nothing that runs in production may stand on it.',
  check: judge(({ from, to }) =>
    isTestCode(to) && !isTestCode(from) && !/^(tools|simulator)\//.test(from)
      ? `imports ${to}, which is test code`
      : undefined,
  ),
  violating: [
    {
      files: { 'server/main.ts': `import '@cauce/kit/database/testing'`, 'kit/database/testing.ts': '' },
      at: ['server/main.ts:1'],
    },
    {
      files: { 'kit/log/memory.ts': `import './conformance.ts'`, 'kit/log/conformance.ts': '' },
      at: ['kit/log/memory.ts:1'],
    },
  ],
  passing: [
    { 'kit/log/memory.test.ts': `import './conformance.ts'`, 'kit/log/conformance.ts': '' },
    { 'kit/log/conformance.ts': `import '../database/testing.ts'`, 'kit/database/testing.ts': '' },
  ],
}

const serviceOf = (path: string): string | undefined => /^(?:services|examples)\/([^/]+)\//.exec(path)?.[1]

/** The workspace a file is in; the tools and the root are in none and may use relative paths. */
const packageOf = (path: string): string | undefined =>
  /^(services\/[^/]+|examples\/[^/]+|kit|server|sandbox|cli|console|simulator|labs|projects|bench)\//.exec(path)?.[1]
