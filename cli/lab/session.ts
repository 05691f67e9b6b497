/**
 * Runs labs one after the other and tells what happens. One process does all of them; when it ends before its time the lab in
 * hand has failed, and another process goes on with the rest.
 */
import { seconds } from '@cauce/kit/core/clock'
import type { LabEvent, RunCommand } from '@cauce/labs/contract'
import type { Shell } from '../shell.ts'
import { stopOnSignals } from '../stop-on-signals.ts'
import { readLine } from './events.ts'
import { Ledger, type Failure, type Outcome } from './ledger.ts'
import { pathOf, startLabs, type LabsProcess } from './process.ts'

export interface Listener {
  onEvent(event: LabEvent): void
  onOutcome(outcome: Outcome): void
  /** Something that was printed, by a variant perhaps. */
  onPrinted(line: string): void
}

/** Longer than any lab takes, and than any step of one. */
const SILENCE_MS = seconds(120)
/** A lab ends within three seconds and a stop of its servers; one that is later hangs. */
const STOP_LIMIT_MS = seconds(8)
const LAST_LINES = 5

/** @param file of the labs' program */
export async function runLabs(
  shell: Shell,
  file: string,
  commands: readonly RunCommand[],
  listener: Listener,
): Promise<'done' | 'interrupted'> {
  const ledger = new Ledger(commands)
  const current: Current = {}
  const stopping = stopOnSignals(shell.world, {
    limitMs: STOP_LIMIT_MS,
    stop() {
      shell.output.note(`\n${shell.t('lab.stopping')}`)
      current.labs?.stop()
    },
    kill: () => current.labs?.kill(),
  })
  const isAsked = () => stopping.signal !== undefined
  try {
    while (ledger.rest.length > 0 && !isAsked()) {
      const failure = await runOne(shell, file, ledger, listener, { current, isAsked })
      if (!isAsked()) ledger.processEnded(failure).forEach((outcome) => listener.onOutcome(outcome))
    }
    return isAsked() ? 'interrupted' : 'done'
  } finally {
    stopping.release()
  }
}

/** One process, until it ends. Returns why, for the lab it may have had in hand. */
async function runOne(
  shell: Shell,
  file: string,
  ledger: Ledger,
  listener: Listener,
  { current, isAsked }: { readonly current: Current; isAsked(): boolean },
): Promise<Omit<Failure, 'id'>> {
  const { t, world } = shell
  const lastErrors: string[] = []
  let isSilent = false
  let cancel = () => {}
  const listen = () => {
    cancel()
    cancel = world.timers.after(SILENCE_MS, () => {
      isSilent = true
      labs.kill()
    })
  }
  const onLine = (line: string) => {
    listen()
    const { event, printed } = readLine(ownNames(line))
    if (isAsked()) return
    if (printed !== undefined) listener.onPrinted(printed)
    if (!event) return
    ledger.take(event).forEach((outcome) => listener.onOutcome(outcome))
    listener.onEvent(event)
  }
  /** Somebody's own variant by the name that they gave it. */
  const ownNames = (line: string) =>
    ledger.rest.reduce(
      (text, { own }) =>
        own === undefined ? text : text.replaceAll(JSON.stringify(pathOf(shell, own)), JSON.stringify(own)),
      line,
    )
  const onError = (line: string) => {
    lastErrors.push(line)
    if (lastErrors.length > LAST_LINES) lastErrors.shift()
    if (!isAsked()) listener.onPrinted(line)
  }
  const labs = startLabs(shell, { file, commands: ledger.rest, onLine, onError })
  current.labs = labs
  if (isAsked()) labs.stop()
  listen()
  const how = await labs.ended
  cancel()
  if (isSilent) return { code: 'silent', message: t('lab.silent', { seconds: SILENCE_MS / 1000 }) }
  return { code: 'ended', message: [t('lab.processEnded', { how }), ...lastErrors].join('\n') }
}

/** The process that runs, as far as signals are concerned. */
interface Current {
  labs?: LabsProcess
}
