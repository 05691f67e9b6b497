/**
 * Syntax trees for the rules, by swc. The compiler in use has no JavaScript API, and text search takes a string or a
 * comment for a call. Nodes are handled untyped: the rules look at few kinds and walk past the rest.
 *
 * swc counts positions in UTF-8 bytes from 1, so lines are looked up in the encoded text.
 */

import { parseSync } from '@swc/core'
import type { SourceFile } from '../source-files.ts'

export interface SyntaxNode {
  readonly type: string
  readonly span: { readonly start: number; readonly end: number }
  readonly [key: string]: unknown
}

export interface Tree {
  readonly body: readonly SyntaxNode[]
  /** The line, counted from 1, at a position of a span. */
  lineAt(position: number): number
}

const parsed = new Map<string, Tree>()

export function parse(file: SourceFile): Tree {
  const known = parsed.get(file.text)
  if (known) return known
  const syntax = /\.[mc]?js$/.test(file.path)
    ? ({ syntax: 'ecmascript' } as const)
    : ({ syntax: 'typescript', tsx: file.path.endsWith('x') } as const)
  const module = parseSync(file.text, { ...syntax, target: 'es2022' })
  const starts = lineStarts(Buffer.from(file.text))
  const tree = { body: module.body as unknown as SyntaxNode[], lineAt: (at: number) => lineOf(starts, at - 1) }
  parsed.set(file.text, tree)
  return tree
}

/** Visits every node below `root`, parents first. `visit` returns false to leave out what is inside. */
export function walk(root: unknown, visit: (node: SyntaxNode, parent?: SyntaxNode) => boolean | void): void {
  const step = (value: unknown, parent?: SyntaxNode): void => {
    if (Array.isArray(value)) return value.forEach((item) => step(item, parent))
    if (typeof value !== 'object' || value === null) return
    const node = isNode(value) ? value : undefined
    if (node && visit(node, parent) === false) return
    for (const key in value) if (key !== 'span') step((value as Record<string, unknown>)[key], node ?? parent)
  }
  step(root)
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** The name of an identifier node, or undefined for anything else. */
export function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Identifier' ? String(value['value']) : undefined
}

/** The text of a string literal (or a template without holes), or undefined for anything else. */
export function stringOf(value: unknown): string | undefined {
  if (!isNode(value)) return undefined
  if (value.type === 'StringLiteral') return String(value['value'])
  const quasis = value.type === 'TemplateLiteral' ? (value['quasis'] as { cooked?: string }[]) : []
  return quasis.length === 1 ? quasis[0]?.cooked : undefined
}

/** The nodes given to a call, without swc's wrapping. */
export function argumentsOf(call: SyntaxNode): unknown[] {
  return ((call['arguments'] as { expression: unknown }[] | null) ?? []).map(({ expression }) => expression)
}

function lineStarts(bytes: Buffer): number[] {
  const starts = [0]
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at + 1)
  return starts
}

function lineOf(starts: readonly number[], offset: number): number {
  const after = starts.findIndex((start) => start > offset)
  return after < 0 ? starts.length : after
}
