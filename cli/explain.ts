/** Errors as the user reads them: what happened, why, what to do. And as a document with `--json`. */
import { CliError, exits, type ExitCode } from './exit.ts'
import { NotCauce, Refused, Unreachable, type Problem } from './http/problem.ts'
import type { Colours } from './output.ts'
import type { Translate } from './texts.ts'

export interface Explained {
  readonly exit: ExitCode
  readonly lines: readonly string[]
  /** For `--json`. */
  readonly document: object
}

export interface ExplainContext {
  readonly t: Translate
  readonly colour: Colours
  readonly dataDirectory: string
}

export function explain(error: unknown, context: ExplainContext): Explained {
  if (error instanceof Refused) return refused(error.problem, context)
  if (error instanceof Unreachable) return unreachable(error, context)
  const { t, colour } = context
  if (error instanceof NotCauce) {
    return told(
      exits.unreachable,
      [colour.red(t('error.notCauce', { url: error.url, status: error.status }))],
      'not-cauce',
    )
  }
  if (error instanceof CliError)
    return told(error.exit, [colour.red(error.message)], error.exit === exits.usage ? 'usage' : 'failed')
  // Files, mostly: no permission, a damaged key. Their messages say what and where.
  const { message, code } = error as Error & { code?: unknown }
  if (typeof code === 'string' || /dev-key\.json/.test(message))
    return told(exits.failed, [colour.red(message)], 'failed')
  const text = t('error.unexpected', { message: (error as Error).stack ?? String(error) })
  return told(exits.failed, [colour.red(text)], 'unexpected')
}

function told(exit: ExitCode, lines: readonly string[], code: string): Explained {
  return { exit, lines, document: { error: { code, message: lines.join('\n') } } }
}

function refused(problem: Problem, { t, colour, dataDirectory }: ExplainContext): Explained {
  const { title, detail, code, requestId } = problem
  const lines = [colour.red(colour.bold(title)), detail, colour.dim(t('error.code', { code, requestId }))]
  if (code === 'unauthenticated') lines.push(t('hint.unauthenticated', { data: dataDirectory }))
  if (code === 'unknown-sku') lines.push(t('hint.unknownSku'))
  return { exit: exits.failed, lines, document: { error: problem } }
}

function unreachable({ details }: Unreachable, { t, colour }: ExplainContext): Explained {
  const { url, reason, silentMs, key } = details
  const text =
    silentMs === undefined
      ? t('error.unreachable', { url, reason })
      : t('error.lost', { url, reason, seconds: Math.round(silentMs / 1000) })
  const lines = [colour.red(text), ...(key === undefined ? [] : [t('error.unknownOutcome', { key })])]
  return {
    exit: exits.unreachable,
    lines,
    document: { error: { code: 'unreachable', message: lines.join('\n'), ...details } },
  }
}
