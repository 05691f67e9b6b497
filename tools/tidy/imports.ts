/** Every import of a source file, and which file of the repository it means. No resolver: the layout is the rule. */

import { posix } from 'node:path'
import type { SourceFile } from '../source-files.ts'
import { argumentsOf, isNode, nameOf, parse, stringOf, walk, type SyntaxNode } from './syntax.ts'
import { isCode } from './rule.ts'

export interface Import {
  readonly from: string
  readonly line: number
  readonly specifier: string
  /** Erased before running. */
  readonly typeOnly: boolean
  /** Named by a URL, to be started as a worker or a program: used, but not loaded here. */
  readonly started: boolean
  /** The file of the repository, or undefined for a package, a Node module or a file that is not there. */
  readonly to: string | undefined
}

export function importsOf(files: readonly SourceFile[]): Import[] {
  const paths = new Set(files.map(({ path }) => path))
  return files.filter(isCode).flatMap((file) => {
    const tree = parse(file)
    const found: Import[] = []
    walk(tree.body, (node) => {
      const target = targetOf(node)
      if (target === undefined) return
      const to = resolve(file.path, target.specifier, paths)
      found.push({ from: file.path, line: tree.lineAt(node.span.start), ...target, to })
    })
    return found
  })
}

type Target = Pick<Import, 'specifier' | 'typeOnly' | 'started'>

function targetOf(node: SyntaxNode): Target | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration': {
      const specifier = stringOf(node['source'])
      return specifier === undefined ? undefined : { ...loaded(specifier), typeOnly: node['typeOnly'] === true }
    }
    case 'TsImportType':
      return { ...loaded(stringOf(node['argument']) ?? ''), typeOnly: true }
    case 'CallExpression': {
      const specifier = stringOf(argumentsOf(node)[0])
      const dynamic = isNode(node['callee']) && node['callee'].type === 'Import'
      return dynamic && specifier !== undefined ? loaded(specifier) : undefined
    }
    case 'NewExpression':
      return urlTarget(node)
    default:
      return undefined
  }
}

const loaded = (specifier: string): Target => ({ specifier, typeOnly: false, started: false })

/** `new URL('./worker.ts', import.meta.url)`: how a worker or a child process is named. */
function urlTarget(node: SyntaxNode): Target | undefined {
  const specifier = nameOf(node['callee']) === 'URL' ? stringOf(argumentsOf(node)[0]) : undefined
  return specifier !== undefined && /^\.\.?\/.*\.[mc]?[jt]s$/.test(specifier)
    ? { ...loaded(specifier), started: true }
    : undefined
}

function resolve(from: string, specifier: string, paths: ReadonlySet<string>): string | undefined {
  if (specifier.startsWith('.')) {
    const path = posix.join(posix.dirname(from), specifier)
    return paths.has(path) ? path : undefined
  }
  const [, name, rest] = /^@cauce\/([^/]+)\/(.+)$/.exec(specifier) ?? []
  return [`${name}/${rest}.ts`, `services/${name}/${rest}.ts`].find((path) => name && paths.has(path))
}
