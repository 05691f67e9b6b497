/** The numbers of a run: the lab's own for its size, some of them set by whoever runs it. */
import type { Lab } from './lab.ts'
import { LabError, type Size } from './vocabulary.ts'

export const LARGEST_SEED = 2 ** 31 - 1

/** Throws LabError 'bad-request', which names what is possible. */
export function parametersOf(
  { id, parameters }: Lab,
  size: Size,
  set: Readonly<Record<string, unknown>> = {},
): Record<string, number> {
  for (const [name, value] of Object.entries(set)) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (!parameter) {
      const names = Object.keys(parameters).join(', ') || 'none'
      throw new LabError('bad-request', `${id} has no parameter ${JSON.stringify(name)}. It has: ${names}`)
    }
    const { min, max } = parameter
    if (!isWhole(value) || value < min || value > max) {
      const given = JSON.stringify(value)
      throw new LabError(
        'bad-request',
        `${name} is ${given}; for ${id} it must be a whole number from ${min} to ${max}`,
      )
    }
  }
  const own = Object.entries(parameters).map(([name, each]) => [name, size === 'small' ? each.small : each.default])
  return { ...(Object.fromEntries(own) as Record<string, number>), ...(set as Record<string, number>) }
}

export function seedOf(seed: unknown): number {
  if (isWhole(seed) && seed >= 0 && seed <= LARGEST_SEED) return seed
  throw new LabError(
    'bad-request',
    `The seed is ${JSON.stringify(seed)}; it must be a whole number from 0 to ${LARGEST_SEED}`,
  )
}

const isWhole = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value)
