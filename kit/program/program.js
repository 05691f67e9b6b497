/**
 * Programs of this repository, ready to run: its TypeScript made into JavaScript when it has changed, and kept.
 *
 * 1. There is nothing to build by hand and nothing stale to run: what was made is named by the size and time of every source, so
 *    a changed source makes another one. It takes about half a second, which starting from the sources would take each time.
 * 2. Each program is made by itself, so a mistake in one keeps no other from starting.
 * 3. Packages stay where npm put them. Only typebox is taken in: it is several hundred small files, half of all that is loaded.
 * 4. A file still finds what lies beside it: `import.meta.url` is where the source is. Stack traces name the sources too.
 *
 * Plain JavaScript, because it is what runs first.
 */
import { createHash } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders = ['kit', 'services', 'server', 'sandbox', 'cli', 'labs', 'projects', 'simulator']
/** How many makes of a program are kept: a process of an older one may still load a part of it. */
const KEPT = 5
const MAIN = 'main.mjs'

/**
 * The file of JavaScript that runs a program.
 * @param {string} program its source, from the root: `server/main.ts`
 * @param {readonly string[]} places where makes are kept, the first that can be written
 * @returns {Promise<string>} absolute path
 */
export async function programFile(program, places = usualPlaces()) {
  const stem = program.replaceAll('/', '-').replace(/\.ts$/, '')
  const name = `${stem}-${fingerprint()}`
  const made = places.map((place) => join(place, name)).find(isWhole)
  if (made) return join(made, MAIN)
  const place = places.find(isWritable)
  if (!place) throw new Error(`${program} cannot be made ready: neither ${places.join(' nor ')} can be written`)
  await makeOnce(program, join(place, name))
  forgetOldOnes(place, stem)
  return join(place, name, MAIN)
}

/**
 * Somebody's own file, as a program of ours could import it: it may lie anywhere, and packages that are not found from there
 * are found from here.
 * @param {string} file absolute path of TypeScript or JavaScript
 * @param {string} directory where what is made is put
 * @returns {Promise<string>} absolute path
 */
export async function makeModule(file, directory) {
  const { build } = await import('esbuild')
  const made = join(directory, `${basename(file).replace(/\.\w+$/, '')}.mjs`)
  await build({
    ...manner,
    absWorkingDir: dirname(file),
    entryPoints: [file],
    outfile: made,
    sourcemap: 'inline',
    plugins: [whereTheSourcesAre],
  })
  return made
}

const usualPlaces = () => [
  join(root, 'node_modules/.cache/cauce'),
  resolve(process.env['CAUCE_DATA'] ?? '.cauce', 'programs'),
]

/** @returns {string} of every source there is, and of what is installed */
function fingerprint() {
  const hash = createHash('sha256')
  /** @param {string} path */
  const add = (path) => {
    const { size, mtimeMs } = statSync(path)
    hash.update(`${path}:${size}:${mtimeMs}\n`)
  }
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const isSource = entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')
      if (isSource) add(join(entry.parentPath, entry.name))
    }
  }
  add(join(root, 'package-lock.json'))
  add(fileURLToPath(import.meta.url))
  return hash.digest('hex').slice(0, 32)
}

/**
 * Whether it was made to its end: a crash of the machine may leave a directory of empty files.
 * @param {string} directory
 */
function isWhole(directory) {
  return (statSync(join(directory, MAIN), { throwIfNoEntry: false })?.size ?? 0) > 0
}

/** @param {string} directory */
function isWritable(directory) {
  try {
    mkdirSync(directory, { recursive: true })
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** What this process is making now, by target. @type {Map<string, Promise<void>>} */
const making = new Map()

/**
 * Two that ask at the same time wait for the same make.
 * @param {string} program
 * @param {string} target
 */
function makeOnce(program, target) {
  const made = making.get(target) ?? make(program, target).finally(() => making.delete(target))
  making.set(target, made)
  return made
}

/** @type {import('esbuild').BuildOptions} */
const manner = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  legalComments: 'none',
  logLevel: 'silent',
}

/**
 * Makes it beside its place, then moves it there whole.
 * @param {string} program
 * @param {string} target
 */
async function make(program, target) {
  const { build } = await import('esbuild')
  const unfinished = `${target}.${process.pid}`
  try {
    mkdirSync(unfinished, { recursive: true })
    await build({
      absWorkingDir: root,
      entryPoints: { main: program },
      outdir: unfinished,
      outExtension: { '.js': '.mjs' },
      ...manner,
      splitting: true,
      sourcemap: 'linked',
      plugins: [whereTheSourcesAre],
    })
    for (const name of readdirSync(unfinished)) toDisk(join(unfinished, name))
    if (existsSync(target) && !isWhole(target)) rmSync(target, { recursive: true, force: true })
    renameSync(unfinished, target)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    // Another process may have made it meanwhile.
    if (!isWhole(target)) throw error
  }
}

/** @param {string} path */
function toDisk(path) {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

/**
 * @param {string} place
 * @param {string} stem
 */
function forgetOldOnes(place, stem) {
  const makes = readdirSync(place)
    .filter((name) => new RegExp(`^${stem}-[0-9a-f]{32}$`).test(name))
    .map((name) => ({
      path: join(place, name),
      at: statSync(join(place, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }))
  for (const { path } of makes.toSorted((one, other) => other.at - one.at).slice(KEPT))
    rmSync(path, { recursive: true, force: true })
}

/** Marks what has been looked up already. */
const found = 'found'

/** @type {import('esbuild').Plugin} */
const whereTheSourcesAre = {
  name: 'where the sources are',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      const isTakenIn = /^(@cauce\/|typebox)/.test(path) || importer.includes('/node_modules/typebox/')
      if (pluginData === found || isBuiltin(path)) return undefined
      const near = await build.resolve(path, { importer, resolveDir, kind, pluginData: found })
      const isHere = near.errors.length === 0 || importer.startsWith(root)
      const { path: file, errors } = isHere
        ? near
        : await build.resolve(path, { resolveDir: join(root, 'labs'), kind, pluginData: found })
      if (errors.length > 0) return { errors }
      // By its whole path, because what is made need not lie where packages are looked for.
      return isTakenIn ? { path: file } : { path: pathToFileURL(file).href, external: true }
    })
    build.onLoad({ filter: /\.[jt]s$/ }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined
      // A pattern, not a text: this file is taken in too, and must not be changed by itself.
      const contents = readFileSync(path, 'utf8').replaceAll(
        /\bimport\.meta\.url\b/g,
        JSON.stringify(pathToFileURL(path).href),
      )
      return { contents, loader: 'ts' }
    })
  },
}
