/**
 * The import diagram of tools/layers.ts as rules for dependency-cruiser, which resolves every import as Node does.
 * `tools/structure.ts` runs it and refuses a run that saw no modules or no dependencies.
 *
 * parser: swc, since the compiler has no JavaScript API: without it nothing is cruised and everything passes.
 */

import 'tsx'

const { browserPackages, browserSafe, layers, serviceRanks, sourceFolders, testCode } =
  await import('./tools/layers.ts')

const sources = `^(${sourceFolders.join('|')})/`

/** A file belongs to the first layer that matches it, so each rule leaves out the layers before its own. */
const direction = layers.map(({ name, files, may }, index) => ({
  name: `layer: ${name}`,
  comment: 'The import diagram: tools/layers.ts.',
  severity: 'error',
  from: { path: files, pathNot: layers.slice(0, index).map((earlier) => earlier.files) },
  to: { path: sources, pathNot: may },
}))

const ranks = serviceRanks.slice(1).map(({ name, files }, index) => ({
  name: `inside a service: ${name}`,
  comment: 'Imports run down: service → http, tasks, views → decide, saga → tables → contract.',
  severity: 'error',
  from: { path: files, pathNot: testCode },
  to: {
    path: serviceRanks.slice(0, index + 1).map((above) => above.files.replace('([^/]+)', '$1')),
    pathNot: testCode,
  },
}))

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

export default {
  forbidden: [
    ...direction,
    ...ranks,
    forbid('no cycles', 'Files in a cycle are one file in several pieces.', {}, { circular: true }),
    forbid(
      'no orphans',
      'Imports nothing and is imported by nothing: delete it, or use it.',
      {
        orphan: true,
        path: sources,
        pathNot: [testCode, '(^|/)main\\.ts$', '\\.(config|worker)\\.ts$', '^(tools|docs)/'],
      },
      {},
    ),
    forbid('imports exist', 'The file or package is not there.', {}, { couldNotResolve: true }),
    forbid(
      'packages are declared',
      'Add it to the package.json of the workspace that imports it.',
      { path: sources },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    forbid(
      'no test code in products',
      'Test code may break every other rule.',
      { path: sources, pathNot: [testCode, '^(tools|simulator)/'] },
      { path: testCode },
    ),
    forbid(
      'the browser has no Node modules',
      'The console loads the core, the policies and the contracts as they are.',
      { path: browserSafe, pathNot: testCode },
      { dependencyTypes: ['core'] },
    ),
    forbid(
      'the browser has few packages',
      `Known to run there: ${browserPackages.join(', ')} (tools/layers.ts).`,
      { path: browserSafe, pathNot: testCode },
      { path: 'node_modules/', pathNot: browserPackages.map((name) => `node_modules/${name}/`) },
    ),
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(\\.cauce|coverage|dist)/' },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.d.ts'],
    },
  },
}
