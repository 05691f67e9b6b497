/** A line of the server's log, for people. A line that is not JSON (a crash of Node itself) is shown as it is. */
import type { Colours } from '../output.ts'

export interface LogLine {
  readonly level: string
  readonly time: string
  readonly message: string
  /** What the line is about: `service=orders lane=3`. */
  readonly details: string
  readonly error: string
}

const ranks = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
const ownMembers = new Set(['level', 'time', 'msg', 'err', 'event', 'version'])

export function parseLogLine(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const line = JSON.parse(text) as Record<string, unknown>
    const { level, time, msg, err } = line
    if (typeof level !== 'string') return undefined
    const about = Object.entries(line).filter(([name]) => !ownMembers.has(name))
    return {
      level,
      time: typeof time === 'string' ? time : '',
      message: typeof msg === 'string' ? msg : '',
      details: about
        .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(' '),
      error: errorText(err),
    }
  } catch {
    return undefined
  }
}

/** Whether a line is a warning or worse. A line that cannot be read may be anything, so it is. */
export const isWarning = (line: LogLine | undefined): boolean =>
  line === undefined || ranks.indexOf(line.level) >= ranks.indexOf('warn')

/** `08:37:39 warn  A readiness check failed  check=database  No database connection` */
export function formatLogLine(text: string, colour: Colours): string {
  const line = parseLogLine(text)
  if (!line) return text
  const paint = line.level === 'warn' ? colour.yellow : isWarning(line) ? colour.red : colour.dim
  const clock = /T(\d\d:\d\d:\d\d)/.exec(line.time)?.[1] ?? ''
  const rest = [line.details && colour.dim(line.details), line.error && paint(line.error)].filter(Boolean)
  return [`${colour.dim(clock)} ${paint(line.level.padEnd(5))} ${line.message}`, ...rest].join('  ')
}

function errorText(err: unknown): string {
  const { message } = (err ?? {}) as { message?: unknown }
  const text = typeof message === 'string' ? message : typeof err === 'string' ? err : ''
  return text.split('\n')[0] ?? ''
}
