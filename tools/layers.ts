/**
 * The import diagram as data: who may import whom. One table feeds both witnesses, dependency-cruiser (which resolves
 * for real) and the tidy test (which needs no resolver), so the diagram is written once.
 *
 * 1. A file belongs to the first layer whose `files` matches its path; a source file that no layer names is a violation.
 * 2. A layer imports only what its `may` matches, itself included; `$1` there is the first group matched by `files`.
 * 3. Inside one service imports run down its ranks: service → http, tasks, views → decide, saga → tables → contract.
 * 4. What a browser loads reaches no Node module, and only the packages that are known to run there.
 * 5. Tests may use more: any part of the kit, and everything where a package stands at the top.
 *
 * Paths are relative to the root, with forward slashes. Every pattern is the source of a regular expression.
 */

export interface Layer {
  readonly name: string
  readonly files: string
  readonly may: readonly string[]
}

const core = '^kit/core/'
const policy = '^kit/policy/'
const database = '^kit/database/'
const telemetry = '^kit/telemetry/'
const program = '^kit/program/'
const message = '^kit/log/message\\.ts$'
/** What others say to a service, or to the labs' program, and hear from it. */
const contracts = '^(services/[^/]+|labs)/contract\\.ts$'
const wholeServices = '^services/[^/]+/(service|contract)\\.ts$'
const decisions = '^services/[^/]+/(decide|saga)[^/]*\\.ts$'

/** Code that only tests load. Product code never imports it. */
export const testCode = '(\\.test|\\.global|(^|/)testing[^/]*|(^|/)conformance)\\.ts$'

export const layers: readonly Layer[] = [
  { name: 'tests of the kit', files: `^kit/.*${testCode}`, may: ['^kit/'] },
  { name: 'kit/core', files: core, may: [core] },
  { name: 'kit/policy', files: policy, may: [core, policy] },
  { name: 'what makes programs', files: program, may: [program] },
  { name: 'settings', files: '^kit/config/', may: [core, telemetry, '^kit/config/'] },
  { name: 'kit/telemetry', files: telemetry, may: [core, policy, telemetry] },
  { name: 'kit/database', files: database, may: [core, policy, telemetry, database] },
  { name: 'calls to providers', files: '^kit/client/', may: [core, policy, '^kit/client/'] },
  { name: 'the saga runner', files: '^kit/saga/runner', may: ['^kit/(?!http/)'] },
  { name: 'the saga machine', files: '^kit/saga/', may: [core, policy, message, '^kit/saga/(?!runner)'] },
  { name: 'kit/pipeline', files: '^kit/pipeline/', may: ['^kit/(?!http/|saga/)'] },
  {
    name: 'what reads a log',
    files: '^kit/(consumer|transport)/',
    may: [core, policy, telemetry, database, '^kit/$1/', message, '^kit/log/port\\.ts$'],
  },
  {
    name: 'projections, which are consumers',
    files: '^kit/projection/',
    may: [core, policy, telemetry, database, '^kit/(projection|consumer)/', message, '^kit/log/port\\.ts$'],
  },
  {
    name: 'the HTTP skeleton, which answers for the pipeline',
    files: '^kit/http/',
    may: [
      core,
      policy,
      telemetry,
      database,
      '^kit/http/',
      '^kit/pipeline/(commands|decision)\\.ts$',
      '^kit/idempotency/port\\.ts$',
    ],
  },
  {
    name: 'a mechanism of the kit',
    files: '^kit/(log|task|idempotency|operator)/',
    may: [core, policy, telemetry, database, '^kit/$1/'],
  },
  { name: 'the orders service', files: '^services/orders/', may: ['^services/orders/', '^kit/', contracts] },
  { name: 'a service', files: '^services/([^/]+)/', may: ['^services/$1/', '^kit/'] },
  {
    name: 'an example: a service that listens to others',
    files: '^examples/([^/]+)/',
    may: ['^examples/$1/', '^kit/', contracts],
  },
  { name: 'tests at the top', files: `^(server|cli|simulator|labs|projects|bench)/.*${testCode}`, may: ['.'] },
  { name: 'server', files: '^server/', may: ['^server/', '^kit/', wholeServices, contracts, '^sandbox/launch\\.ts$'] },
  {
    name: 'simulator: the server’s wiring, and the sandbox’s books',
    files: '^simulator/',
    may: ['^simulator/', '^kit/', wholeServices, '^server/wire\\.ts$', '^sandbox/(card|carrier)/'],
  },
  { name: 'bench', files: '^bench/', may: ['^bench/', '^kit/', wholeServices] },
  { name: 'labs', files: '^labs/', may: ['^labs/', '^kit/', wholeServices, decisions] },
  {
    name: 'projects, each a small composition root',
    files: '^projects/',
    may: ['^projects/', '^kit/', wholeServices, decisions, '^sandbox/launch\\.ts$'],
  },
  {
    name: 'cli',
    files: '^cli/',
    may: ['^cli/', core, contracts, '^kit/http/dev-key\\.ts$', '^kit/program/'],
  },
  { name: 'console', files: '^console/', may: ['^console/', core, contracts] },
  { name: 'sandbox', files: '^sandbox/', may: ['^sandbox/', '^kit/'] },
  { name: 'tools', files: '^(tools|deploy|docs)/|^[^/]+$', may: ['.'] },
]

/** The folders that hold source, in the order of the layout. */
export const sourceFolders: readonly string[] = [
  'kit',
  'services',
  'examples',
  'server',
  'sandbox',
  'cli',
  'console',
  'simulator',
  'labs',
  'projects',
  'bench',
  'deploy',
  'docs',
  'tools',
]

export interface Rank {
  readonly name: string
  readonly files: string
}

const stems = (names: string): string => `^(?:services|examples)/([^/]+)/(${names})\\b[^/.]*(\\.ts$|/)`

/**
 * The ranks inside a service, top first; a file imports its own rank and those below. `decide-refund.ts` ranks as
 * `decide`. A file of any other name is a helper: decisions may use it, and it may use no decision.
 */
export const serviceRanks: readonly Rank[] = [
  { name: 'service', files: stems('service') },
  { name: 'http, tasks, views', files: stems('http|tasks|views') },
  { name: 'decide, saga', files: stems('decide|saga') },
  { name: 'a helper', files: stems('(?!(service|http|tasks|views|decide|saga|tables|contract)\\b)\\w+') },
  { name: 'tables', files: stems('tables') },
  { name: 'contract', files: stems('contract') },
]

/** What a browser loads too, and the packages that may go there with it. */
export const browserSafe = `${core}|${policy}|${contracts}`
export const browserPackages: readonly string[] = ['typebox', 'uuidv7', 'cockatiel', 'p-limit']

export const isTestCode = (path: string): boolean => new RegExp(testCode).test(path)

export function layerOf(path: string): Layer | undefined {
  return layers.find((layer) => new RegExp(layer.files).test(path))
}

/** Whether the file at `from` may import the file at `to` by the layers alone. */
export function mayImport(from: string, to: string): boolean {
  const layer = layerOf(from)
  if (!layer) return false
  const group = new RegExp(layer.files).exec(from)?.[1] ?? ''
  return layer.may.some((source) => new RegExp(source.replaceAll('$1', group)).test(to))
}

/** The place of a file in its service's ranks (0 is the top), or undefined outside the ranks (tests, other folders). */
export function rankOf(path: string): number | undefined {
  const rank = serviceRanks.findIndex(({ files }) => new RegExp(files).test(path))
  return rank < 0 || isTestCode(path) ? undefined : rank
}
