/** `cauce lab`: lists the labs, runs them, grades a fix of one's own. The labs are a program of their own (labs/main.ts). */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { programFile } from '@cauce/kit/program/program.js'
import type { LabDescription, RunCommand, Size } from '@cauce/labs/contract'
import { integer } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits, usageError, type ExitCode } from '../exit.ts'
import { readBook } from '../lab/book.ts'
import { asPath, checkScaffold, checkSet, chooseVariant, fileExists, findLab, labsOfPhase } from '../lab/choose.ts'
import { showList } from '../lab/list.ts'
import { pageOf, showPage } from '../lab/page.ts'
import { listLabs, scaffoldOf } from '../lab/process.ts'
import { runSeveral } from '../lab/several.ts'
import { runSingle, type LabsProgram } from '../lab/single.ts'
import type { Shell } from '../shell.ts'
import type { Translate } from '../texts.ts'
import { examples } from '../usage.ts'

export interface LabOptions {
  readonly variant?: string | undefined
  readonly scaffold?: string | undefined
  readonly seed?: number | undefined
  readonly size?: Size | undefined
  readonly set?: Readonly<Record<string, number>> | undefined
  readonly all?: true | undefined
  readonly phase?: number | undefined
  readonly explain?: true | undefined
}

const defaults = { seed: 1, size: 'default' } as const
const LARGEST_SEED = 2 ** 31 - 1

export const addLab: AddCommand = (parent, { t, run }) => {
  const byDefault = (text: string, value: string | number) => `${text} (${t('help.default')}: ${value})`
  parent
    .command('lab')
    .description(t('lab.about'))
    .argument('[id]', t('lab.id'))
    .option('--variant <name>', t('lab.option.variant'))
    .option('--scaffold <file>', t('lab.option.scaffold'))
    .option('--seed <n>', byDefault(t('lab.option.seed'), defaults.seed), integer(t, 0, LARGEST_SEED))
    .addOption(
      new Option('--size <size>', byDefault(t('lab.option.size'), defaults.size)).choices([
        'default',
        'small',
      ] as const),
    )
    .option('--set <name=value>', t('lab.option.set'), collectSet(t))
    .option('--all', t('lab.option.all'))
    .option('--phase <n>', t('lab.option.phase'), integer(t, 0, 99))
    .option('--explain', t('lab.option.explain'))
    .addHelpText(
      'after',
      examples(t, [
        'lab',
        'lab stock-counter',
        'lab stock-counter --explain',
        'lab stock-counter --variant optimistic --set buyers=500',
        'lab stock-counter --scaffold mine.ts',
        'lab stock-counter --variant ./mine.ts',
        'lab --phase 1',
        'lab --all --json',
      ]),
    )
    .action((id, options) => run((shell) => lab(shell, id, options)))
}

/** `--set buyers=50 --set stock=10`. */
function collectSet(t: Translate) {
  return (text: string, before: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> => {
    const [, name, value] = /^([^=]+)=(-?\d{1,15})$/.exec(text) ?? []
    if (name === undefined) throw new InvalidArgumentError(t('lab.usage.set'))
    return { ...before, [name]: Number(value) }
  }
}

/** @param program of the labs, instead of ours */
export async function lab(
  shell: Shell,
  id: string | undefined,
  options: LabOptions,
  program?: string,
): Promise<ExitCode> {
  const { t, settings, output } = shell
  checkTogether(t, id, options)
  // Reading needs nothing to be started.
  if (id !== undefined && options.explain && hasPage(id)) {
    showPage(shell, id)
    return exits.ok
  }
  const file = program ?? (await programFile('labs/main.ts'))
  const labs = { file, list: await listLabs(shell, file) }
  const { problem } = readBook(settings.dataDirectory)
  if (problem !== undefined) output.note(t('lab.notRead', { problem }))
  const seedAndSize = { seed: options.seed ?? defaults.seed, size: options.size ?? defaults.size }
  if (id !== undefined) return withLab(shell, labs, findLab(t, labs.list, id), { ...options, ...seedAndSize })
  if (options.all || options.phase !== undefined) {
    return runSeveral(shell, labs, labsOfPhase(t, labs.list, options.phase), seedAndSize)
  }
  showList(shell, labs.list, readBook(settings.dataDirectory))
  return exits.ok
}

const hasPage = (id: string): boolean => /^[a-z0-9-]+$/.test(id) && pageOf(id, 'en').exists

/** Some options are about one lab, some about a run. */
function checkTogether(t: Translate, id: string | undefined, options: LabOptions): void {
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))
  const first = (names: readonly string[]) => given.find((name) => names.includes(name))
  const many = first(['--all', '--phase'])
  const aboutOne = first(['--variant', '--scaffold', '--set', '--explain'])
  if (id !== undefined && many !== undefined) throw usageError(t('lab.usage.together', { one: id, other: many }))
  if (id === undefined && aboutOne !== undefined) throw usageError(t('lab.usage.needsLab', { option: aboutOne }))
  const aboutRun = first(['--seed', '--size'])
  if (id === undefined && many === undefined && aboutRun !== undefined) {
    throw usageError(t('lab.usage.needsRun', { option: aboutRun }))
  }
  const [one, other] = given.filter((name) => ['--variant', '--scaffold', '--explain'].includes(name))
  if (one !== undefined && other !== undefined) throw usageError(t('lab.usage.together', { one, other }))
}

async function withLab(
  shell: Shell,
  labs: LabsProgram,
  chosen: LabDescription,
  options: LabOptions & Pick<RunCommand, 'seed' | 'size'>,
): Promise<ExitCode> {
  const { t } = shell
  const { seed, size, set, variant, scaffold } = options
  if (options.explain) {
    showPage(shell, chosen.id)
    return exits.ok
  }
  if (scaffold !== undefined) return writeScaffold(shell, labs, chosen, scaffold)
  if (set) checkSet(t, chosen, set)
  const which = variant === undefined ? {} : chooseVariant(shell, labs.list, chosen, variant)
  return runSingle(shell, labs, chosen, { id: chosen.id, seed, size, ...(set ? { set } : {}), ...which })
}

async function writeScaffold(shell: Shell, labs: LabsProgram, chosen: LabDescription, path: string): Promise<ExitCode> {
  const { t, output, world } = shell
  const { id } = chosen
  checkScaffold(shell, labs.list, chosen, path)
  const source = await scaffoldOf(shell, labs.file, id)
  try {
    writeFileSync(resolve(world.directory, path), source, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw fileExists(t, id, path)
    throw error
  }
  const command = `npx cauce lab ${id} --variant ${asPath(path)}`
  output.result({ id, file: path, command }, () =>
    [t('lab.scaffold.written', { path }), `  ${output.colour.cyan(command)}`].join('\n'),
  )
  return exits.ok
}
