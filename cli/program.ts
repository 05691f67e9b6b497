/**
 * The command line as a function: arguments in, exit code out. Builds the commands, runs the one that was asked for, and turns
 * whatever goes wrong into text and a code.
 */
import { Command, CommanderError, Option } from '@commander-js/extra-typings'
import type { Parent, Wiring } from './command.ts'
import { addAccount } from './commands/account.ts'
import { addPayment } from './commands/payment.ts'
import { addAudit } from './commands/audit.ts'
import { addDeadLetters } from './commands/dead-letters.ts'
import { addDemo } from './commands/demo.ts'
import { addDoctor } from './commands/doctor.ts'
import { addGroups } from './commands/groups.ts'
import { addLab } from './commands/lab.ts'
import { addOrder } from './commands/order.ts'
import { addParked } from './commands/parked.ts'
import { addProduct } from './commands/product.ts'
import { addRoadmap } from './commands/roadmap.ts'
import { addToken } from './commands/token.ts'
import { addUp } from './commands/up.ts'
import { addViews } from './commands/views.ts'
import { exits, type ExitCode } from './exit.ts'
import { explain } from './explain.ts'
import { createOutput } from './output.ts'
import { createShell, type Shell, type World } from './shell.ts'
import { chooseLang, langs, translator, type Translate } from './texts.ts'
import { helpConfiguration, usageText } from './usage.ts'
import { version } from './version.ts'

export async function runCli(args: readonly string[], world: World): Promise<ExitCode> {
  const lang = chooseLang(args, world.env)
  const t = translator(lang)
  const output = createOutput({ ...world, json: args.includes('--json') })
  let exit: ExitCode = exits.ok
  let shell: Shell | undefined
  const root: Parent = createRoot(t, world)
  const run: Wiring['run'] = async (work) => {
    shell = createShell(world, lang, root.opts())
    exit = await work(shell)
  }
  for (const add of [
    addUp,
    addDemo,
    addLab,
    addRoadmap,
    addOrder,
    addProduct,
    addAccount,
    addPayment,
    addAudit,
    addGroups,
    addParked,
    addDeadLetters,
    addViews,
    addToken,
    addDoctor,
  ]) {
    add(root, { t, run })
  }
  if (args.length === 0) {
    output.note(root.helpInformation())
    return exits.usage
  }
  try {
    await root.parseAsync([...args], { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, root, args, output.note, t)
    const context = { t, colour: output.noteColour, dataDirectory: shell?.settings.dataDirectory ?? '' }
    const explained = explain(error, context)
    output.note(output.json ? JSON.stringify(explained.document) : explained.lines.join('\n'))
    return explained.exit
  }
}

function createRoot(t: Translate, world: World): Parent {
  const { stdout, stderr } = world
  const { colour } = createOutput({ ...world, json: false })
  return new Command('cauce')
    .description(t('about'))
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: () => undefined, // said by `usage` below
    })
    .configureHelp(helpConfiguration(t, colour))
    .option('--json', t('option.json'))
    .addOption(new Option('--lang <lang>', t('option.lang')).choices(langs))
    .option('--url <url>', t('option.url'))
    .option('--data <directory>', t('option.data'))
    .version(version, '-V, --version', t('option.version'))
    .helpOption('-h, --help', t('option.help'))
    .helpCommand('help [command]', t('command.help'))
    .addHelpText('after', () => `\n${t('about.after')}`)
}

/** Help and version are answers; the rest is a mistake. */
function usage(
  error: CommanderError,
  root: Parent,
  args: readonly string[],
  note: (text: string) => void,
  t: Translate,
): ExitCode {
  if (error.exitCode === 0) return exits.ok
  if (error.code === 'commander.help') return exits.usage // A group without its command: its help has been printed.
  note(usageText(error, t))
  note(t('help.more', { command: ['npx cauce', ...namedCommands(root, args)].join(' ') }))
  return exits.usage
}

/** The command that was meant, as far as it exists: `order place`. */
function namedCommands(root: Parent, args: readonly string[]): string[] {
  const names: string[] = []
  let at = root
  for (const arg of args) {
    const next: Parent | undefined = at.commands.find((command) => command.name() === arg)
    if (next === undefined) continue
    names.push(arg)
    at = next
  }
  return names
}
