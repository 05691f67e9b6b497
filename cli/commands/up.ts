/**
 * `cauce up`: starts the server and stays with it. Flags become environment variables, so they win over what is set. Warnings
 * and errors of the server's log are shown; all of it is in `<CAUCE_DATA>/server.log`.
 */
import { Option } from '@commander-js/extra-typings'
import { seconds } from '@cauce/kit/core/clock'
import { integer } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits, type ExitCode } from '../exit.ts'
import { announce, withdraw } from '../server-process/announcement.ts'
import { programFile } from '@cauce/kit/program/program.js'
import { spawnServer, type Ended, type Ready } from '../server-process/child.ts'
import { followLog, openLogFile } from '../server-process/log-file.ts'
import { formatLogLine, isWarning, parseLogLine } from '../server-process/log-line.ts'
import { awaitFreePort } from '../server-process/port-guard.ts'
import { directoryOf, projectOf } from '../server-process/project.ts'
import { tellStart } from '../server-process/start-progress.ts'
import { reachableUrl, urlOf } from '../settings.ts'
import type { Shell } from '../shell.ts'
import { stopOnSignals } from '../stop-on-signals.ts'
import { examples } from '../usage.ts'

export interface UpOptions {
  readonly project?: number | undefined
  readonly port?: number | undefined
  readonly host?: string | undefined
  readonly databaseUrl?: string | undefined
  readonly sandboxUrl?: string | undefined
  readonly natsUrl?: string | undefined
  readonly redisUrl?: string | undefined
  readonly services?: string | undefined
  readonly logLevel?: string | undefined
  readonly logs?: true | undefined
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
/** The server ends within 25 s; what is later than this hangs. */
const STOP_LIMIT_MS = seconds(30)
const LAST_LINES = 12

export const addUp: AddCommand = (parent, { t, run }) => {
  parent
    .command('up')
    .description(t('up.about'))
    .option('--project <n>', t('up.project'), integer(t, 1, 3))
    .option('--port <port>', t('up.port'), integer(t, 0, 65_535))
    .option('--host <address>', t('up.host'))
    .option('--database-url <url>', t('up.databaseUrl'))
    .option('--sandbox-url <url>', t('up.sandboxUrl'))
    .option('--nats-url <url>', t('up.natsUrl'))
    .option('--redis-url <url>', t('up.redisUrl'))
    .option('--services <names>', t('up.services'))
    .addOption(new Option('--log-level <level>', t('up.logLevel')).choices(levels))
    .option('--logs', t('up.logs'))
    .addHelpText(
      'after',
      examples(t, [
        'up',
        'up --port 0 --data /tmp/cauce',
        'up --services payments,orders --log-level debug',
        'up --project 1',
      ]),
    )
    .action((options) => run((shell) => up(shell, options)))
}

export async function up(shell: Shell, options: UpOptions, serverProgram?: string): Promise<ExitCode> {
  const { t, output, settings } = shell
  const { timers } = shell.world
  const port = String(options.port ?? settings.port)
  if (port !== '0') await awaitFreePort(shell, urlOf(options.host ?? settings.host, port))

  const project = projectOf(options.project)
  const directory = directoryOf(project, settings.dataDirectory)
  const log = openLogFile(directory)
  const progress = tellStart(shell)
  const env = { ...shell.world.env, ...environmentOf(options, settings.dataDirectory) }
  const program = serverProgram ?? (await programFile(project.program))
  const server = spawnServer({ env, log, timers, program })
  const stopping = stopOnSignals(shell.world, {
    limitMs: STOP_LIMIT_MS,
    stop() {
      output.note(`\n${t('up.stopping')}`)
      void server.stop()
    },
    kill: () => server.kill(),
    onLate: () => output.note(t('up.killed')),
  })

  const lastLines: string[] = []
  const show = showsEverything(options) ? () => true : (line: string) => isWarning(parseLogLine(line))
  const pretty = output.stderr.isTTY === true || !showsEverything(options)
  let running = false
  const onLine = (line: string) => {
    lastLines.push(line)
    if (lastLines.length > LAST_LINES) lastLines.shift()
    progress.onLine(line)
    // What a server that cannot start says to people, its last words, is told once, at the end.
    const lastWords = !running && parseLogLine(line) === undefined
    if (!lastWords && show(line)) output.note(pretty ? formatLogLine(line, output.noteColour) : line)
  }
  const over = new AbortController()
  const following = followLog(log, onLine, timers, over.signal)
  const ready = await server.ready
  progress.end()
  running = ready !== undefined
  if (ready && server.pid !== undefined) {
    const reachable = { ...ready, url: reachableUrl(ready.url) }
    if (project.isPlatform) announce(directory, { ...reachable, pid: server.pid })
    tellRunning(shell, reachable, log.path, project.commands(ready.services))
  }
  const ended = await server.ended
  stopping.release()
  over.abort()
  await following
  if (project.isPlatform && server.pid !== undefined) withdraw(directory, server.pid)
  return tellEnd(shell, { ended, wasReady: ready !== undefined, asked: stopping.signal, logPath: log.path, lastLines })
}

const showsEverything = ({ logs, logLevel }: UpOptions): boolean =>
  logs === true || logLevel === 'debug' || logLevel === 'trace'

function environmentOf(options: UpOptions, dataDirectory: string): NodeJS.ProcessEnv {
  const { port, host, databaseUrl, sandboxUrl, natsUrl, redisUrl, services, logLevel } = options
  const given = {
    PORT: port === undefined ? undefined : String(port),
    HOST: host,
    CAUCE_DATA: dataDirectory,
    DATABASE_URL: databaseUrl,
    SANDBOX_URL: sandboxUrl,
    NATS_URL: natsUrl,
    REDIS_URL: redisUrl,
    CAUCE_SERVICES: services,
    LOG_LEVEL: logLevel,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** The URL and what to try, on stdout; the rest is told on stderr. */
function tellRunning({ t, output, settings }: Shell, ready: Ready, logPath: string, commands: readonly string[]): void {
  const { colour, noteColour } = output
  const where = [
    ...(settings.urlIsDefault && ready.url === settings.url ? [] : [`--url ${ready.url}`]),
    ...(settings.dataIsDefault ? [] : [`--data ${settings.dataDirectory}`]),
  ]
  output.note('')
  output.result(ready, () =>
    [
      colour.bold(t('up.running', { url: ready.url })),
      ...(commands.length > 0 ? [t('up.try')] : []),
      ...commands.map((command) => `  ${colour.cyan(['npx cauce', command, ...where].join(' '))}`),
    ].join('\n'),
  )
  if (!ready.durable) output.note(noteColour.red(t('up.notDurable')))
  const facts = [
    `${t('up.docs')}: ${ready.url}/docs`,
    `${t('up.database')}: ${ready.database}`,
    `${t('up.logFile')}: ${logPath}`,
  ]
  output.note(`\n${[...facts, t('up.stopHint')].map((line) => noteColour.dim(line)).join('\n')}`)
}

interface End {
  readonly ended: Ended
  readonly wasReady: boolean
  readonly asked: NodeJS.Signals | undefined
  readonly logPath: string
  readonly lastLines: readonly string[]
}

function tellEnd({ t, output }: Shell, { ended, wasReady, asked, logPath, lastLines }: End): ExitCode {
  const { code, signal } = ended
  if (asked !== undefined) {
    output.note(t('up.stopped'))
    return code ?? (asked === 'SIGINT' ? exits.interrupted : exits.failed)
  }
  if (code === 0) return exits.ok
  const { noteColour } = output
  const how = signal === null ? t('up.exitCode', { code: code ?? '?' }) : t('up.exitSignal', { signal })
  output.note(noteColour.red(t(wasReady ? 'up.died' : 'up.failed', { how })))
  if (lastLines.length > 0) output.note(t('up.lastLines', { file: logPath }))
  for (const line of lastLines) output.note(`  ${formatLogLine(line, noteColour)}`)
  if (wasReady) output.note(t('up.restartHint'))
  return code ?? exits.failed
}
