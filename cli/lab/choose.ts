/** What somebody asked for, checked against what the labs have: every refusal says what is possible. */
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LabDescription, LabList } from '@cauce/labs/contract'
import { closest } from '../closest.ts'
import { usageError } from '../exit.ts'
import type { Shell } from '../shell.ts'
import type { Translate } from '../texts.ts'

type Context = Pick<Shell, 't' | 'world'>

export function findLab(t: Translate, { labs }: LabList, id: string): LabDescription {
  const found = labs.find((lab) => lab.id === id)
  if (found) return found
  const ids = labs.map((lab) => lab.id)
  throw usageError(t('lab.usage.unknown', { id, hint: hintOf(t, id, ids) }))
}

export function labsOfPhase(t: Translate, { labs }: LabList, phase: number | undefined): readonly LabDescription[] {
  if (phase === undefined) return labs
  const found = labs.filter((lab) => lab.phase === phase)
  if (found.length > 0) return found
  const phases = [...new Set(labs.map((lab) => lab.phase))].join(', ')
  throw usageError(t('lab.usage.phase', { phase, phases }))
}

/** One of the lab's variants, or a file: what looks like a path is one, and so is what only exists as one. */
export function chooseVariant(
  { t, world }: Context,
  { labs }: LabList,
  lab: LabDescription,
  given: string,
): { readonly only: string } | { readonly own: string } {
  const { id, variants, takesVariants } = lab
  const looksLikePath = /[/\\]|\.[cm]?[jt]s$/.test(given)
  if (!looksLikePath && variants.some(({ name }) => name === given)) return { only: given }
  const isFile = statSync(resolve(world.directory, given), { throwIfNoEntry: false })?.isFile() ?? false
  if (!looksLikePath && !isFile) {
    const names = variants.map(({ name }) => name)
    throw usageError(
      t('lab.usage.variant', { id, name: given, hint: hintOf(t, given, names), possible: names.join(', ') }),
    )
  }
  if (!takesVariants) throw refuseOwn(t, labs, id)
  if (!isFile) throw usageError(t('lab.usage.noFile', { path: given, id }))
  return { own: given }
}

/** @throws CliError when a variant of one's own cannot be begun in this file */
export function checkScaffold({ t, world }: Context, { labs }: LabList, lab: LabDescription, path: string): void {
  const { id, takesVariants } = lab
  if (!takesVariants) throw refuseOwn(t, labs, id)
  if (!path.endsWith('.ts')) throw usageError(t('lab.usage.notTypeScript', { path }))
  if (existsSync(resolve(world.directory, path))) throw fileExists(t, id, path)
}

export const fileExists = (t: Translate, id: string, path: string) =>
  usageError(t('lab.usage.fileExists', { path, id, own: asPath(path) }))

/** As `--variant` takes it for a path, whatever it is called. */
export const asPath = (path: string): string => (/[/\\]/.test(path) ? path : `./${path}`)

function refuseOwn(t: Translate, labs: readonly LabDescription[], id: string) {
  const possible = labs.filter(({ takesVariants }) => takesVariants).map((lab) => lab.id)
  return usageError(t('lab.usage.noOwn', { id, possible: possible.join(', ') }))
}

export function checkSet(
  t: Translate,
  { id, parameters }: LabDescription,
  set: Readonly<Record<string, number>>,
): void {
  const names = Object.keys(parameters)
  for (const [name, value] of Object.entries(set)) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (!parameter) {
      if (names.length === 0) throw usageError(t('lab.usage.noParameters', { id }))
      const possible = names.map((each) => `${each} (${parameters[each]!.min}–${parameters[each]!.max})`).join(', ')
      throw usageError(t('lab.usage.parameter', { id, name, hint: hintOf(t, name, names), possible }))
    }
    const { min, max } = parameter
    if (value < min || value > max) throw usageError(t('lab.usage.range', { name, value, id, min, max }))
  }
}

function hintOf(t: Translate, wanted: string, names: readonly string[]): string {
  const name = closest(wanted, names)
  return name === undefined ? '' : ` ${t('usage.didYouMean', { name })}`
}
