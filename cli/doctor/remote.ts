/** What only a running server can tell: whether it answers, its database, the sandbox, its clock. */
import { join } from 'node:path'
import type { Shell } from '../shell.ts'
import { readAnnouncement } from '../server-process/announcement.ts'
import { fail, fine, warn, type Finding } from './finding.ts'

const ASK_MS = 3_000
/** A Date header has whole seconds, and the way takes time too. */
const SAME_CLOCK_MS = 5_000
const WRONG_CLOCK_MS = 300_000

interface Asked {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly date: string | null
}

export interface Remote {
  readonly serving: boolean
  readonly findings: readonly Finding[]
}

export async function checkRemote(shell: Shell): Promise<Remote> {
  const { t, settings } = shell
  const { url } = settings
  const live = await ask(shell, `${url}/livez`)
  if (typeof live === 'string') {
    const detail = t('doctor.server.away', { url, reason: live })
    const server = fail('server', detail, t('doctor.server.awayAdvice'))
    const unknown = (['database', 'durability', 'clock'] as const).map((name) => warn(name, t('doctor.notAsked')))
    return { serving: false, findings: [server, ...unknown, await checkSandbox(shell)] }
  }
  if (live.body.status !== 'alive') {
    return {
      serving: false,
      findings: [fail('server', t('doctor.server.other', { url }), t('doctor.server.awayAdvice'))],
    }
  }
  const server = fine('server', t('doctor.server.version', { url, version: textOf(live.body.version, '?') }))
  const findings = [
    server,
    await checkDatabase(shell),
    checkDurability(shell),
    await checkSandbox(shell),
    checkClock(shell, live),
  ]
  return { serving: true, findings }
}

/** What `cauce up` wrote down about the server we talk to. */
function announcedHere({ settings }: Shell) {
  const announced = readAnnouncement(settings.dataDirectory)
  return announced?.url === settings.url ? announced : undefined
}

async function checkDatabase(shell: Shell): Promise<Finding> {
  const { t, settings } = shell
  const ready = await ask(shell, `${settings.url}/readyz`)
  if (typeof ready !== 'string' && ready.status === 200) {
    const database = announcedHere(shell)?.database
    return fine(
      'database',
      database === undefined ? t('doctor.database.ready') : t('doctor.database.described', { database }),
    )
  }
  const reason = typeof ready === 'string' ? ready : textOf(ready.body.detail, `HTTP ${ready.status}`)
  const advice = t('doctor.database.awayAdvice', { log: join(settings.dataDirectory, 'server.log') })
  return fail('database', t('doctor.database.away', { reason }), advice)
}

function checkDurability(shell: Shell): Finding {
  const { t } = shell
  const announced = announcedHere(shell)
  if (!announced) return warn('durability', t('doctor.durabilityUnknown'))
  if (announced.durable) return fine('durability', t('doctor.durable'))
  return fail('durability', t('doctor.notDurable'), t('doctor.notDurableAdvice'))
}

async function checkSandbox(shell: Shell): Promise<Finding> {
  const { t, settings } = shell
  const announced = announcedHere(shell)
  const url = announced?.sandboxUrl ?? settings.sandboxUrl
  if (url === undefined) return warn('sandbox', t('doctor.sandbox.unknown'))
  const live = await ask(shell, `${url}/livez`)
  if (typeof live !== 'string' && live.status === 200) return fine('sandbox', t('doctor.sandbox.ok', { url }))
  const reason = typeof live === 'string' ? live : `HTTP ${live.status}`
  return fail('sandbox', t('doctor.sandbox.away', { url, reason }), t('doctor.sandbox.awayAdvice'))
}

function checkClock({ t, world }: Shell, { date }: Asked): Finding {
  const differenceMs = Math.abs(world.clock.now() - Date.parse(date ?? ''))
  if (Number.isNaN(differenceMs)) return warn('clock', t('doctor.notAsked'))
  const seconds = Math.round(differenceMs / 1000)
  if (differenceMs <= SAME_CLOCK_MS) return fine('clock', t('doctor.clock.same', { seconds: SAME_CLOCK_MS / 1000 }))
  const detail = t('doctor.clock.differs', { seconds })
  return differenceMs > WRONG_CLOCK_MS
    ? fail('clock', detail, t('doctor.clock.advice'))
    : warn('clock', detail, t('doctor.clock.advice'))
}

const textOf = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)

/** The answer, or why there is none. */
async function ask({ world: { fetch, timers } }: Shell, url: string): Promise<Asked | string> {
  const silence = new AbortController()
  const cancel = timers.after(ASK_MS, () => silence.abort())
  try {
    const response = await fetch(url, { signal: silence.signal })
    const body = (await response.json().catch(() => ({}))) as Asked['body'] | null
    return { status: response.status, body: body ?? {}, date: response.headers.get('date') }
  } catch (error) {
    if (silence.signal.aborted) return `${ASK_MS / 1000} s`
    const { code, message } = ((error as { cause?: unknown }).cause ?? error) as { code?: string; message?: string }
    return code ?? message ?? 'error'
  } finally {
    cancel()
  }
}
