/**
 * What is printed, and where: the result on stdout, everything else on stderr. With `--json` the result is one document (or one
 * a line, where results come one after the other) and nothing else is on stdout. Colours only on a terminal, and never with
 * NO_COLOR.
 */
import Table from 'cli-table3'
import colours from 'picocolors'

export interface Sink {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export type Colours = ReturnType<typeof colours.createColors>

export interface Output {
  readonly json: boolean
  /** Colours for stdout and for stderr. */
  readonly colour: Colours
  readonly noteColour: Colours
  readonly stderr: Sink
  /** How wide a paragraph on stdout may be. */
  readonly width: number
  /** The result: the document with `--json`, else the text. */
  result(document: unknown, text: () => string): void
  /** One result of several, as it comes: a document on a line with `--json`, else the text, if there is one. */
  part(document: unknown, text?: () => string): void
  /** A line on stderr. */
  note(text: string): void
}

export interface OutputOptions {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly env: NodeJS.ProcessEnv
  readonly json: boolean
}

/** Lines longer than this are hard to read, whatever the terminal's width. */
const WIDEST = 100

export function createOutput({ stdout, stderr, env, json }: OutputOptions): Output {
  const print = (text: string) => void stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  const colourful = (sink: Sink) => !env.NO_COLOR && env.TERM !== 'dumb' && sink.isTTY === true
  return {
    json,
    colour: colours.createColors(colourful(stdout)),
    noteColour: colours.createColors(colourful(stderr)),
    stderr,
    width: Math.min(stdout.columns ?? WIDEST, WIDEST),
    result: (document, text) => print(json ? JSON.stringify(document, null, 2) : text()),
    part(document, text) {
      if (json) print(JSON.stringify(document))
      else if (text) print(text())
    },
    note: (text) => void stderr.write(`${text}\n`),
  }
}

const bare = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
const inner = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid']
const noLines = { ...Object.fromEntries([...bare, ...inner].map((name) => [name, ''])), middle: '  ' }
const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }

export interface TableOptions {
  readonly head?: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Columns, from 0, that hold numbers. */
  readonly right?: readonly number[]
  readonly colour: Colours
}

/** Rows, perhaps under a head, without lines around them: easy to read and to cut with other tools. */
export function table({ head = [], rows, right = [], colour }: TableOptions): string {
  const colAligns = head.map((_, index) => (right.includes(index) ? ('right' as const) : ('left' as const)))
  const grid = new Table({ chars: noLines, style, colAligns })
  if (head.length > 0) grid.push(head.map((cell) => colour.dim(cell)))
  grid.push(...rows.map((row) => [...row]))
  return trimmed(grid.toString())
}

/** Names and values, one pair a line. */
export function pairs(rows: readonly (readonly [string, string])[], colour: Colours): string {
  return table({ rows: rows.map(([name, value]) => [colour.dim(name), value]), colour })
}

const trimmed = (text: string): string => text.replaceAll(/ +$/gm, '')
