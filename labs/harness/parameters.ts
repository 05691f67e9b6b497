/** The numbers of a run: the lab's own for its size, some of them set by whoever runs it. */
import { isWhole, type LabDescription, type Size } from '../contract.ts'
import { LabError } from './fault.ts'

export const LARGEST_SEED = 2 ** 31 - 1

export function parametersOf(
  parameters: LabDescription['parameters'],
  size: Size,
  set: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const own = Object.entries(parameters).map(([name, each]) => [name, size === 'small' ? each.small : each.default])
  return { ...(Object.fromEntries(own) as Record<string, number>), ...set }
}

/** Throws LabError 'bad-request'. */
export function seedOf(seed: unknown): number {
  if (isWhole(seed) && seed >= 0 && seed <= LARGEST_SEED) return seed
  throw new LabError(
    'bad-request',
    `The seed is ${JSON.stringify(seed)}; it must be a whole number from 0 to ${LARGEST_SEED}`,
  )
}
