/** The versions of a resource that a write allows, as If-Match says: one of these, any that there is, or no condition at all. */
export type IfVersions = readonly number[] | 'any' | undefined

/** Whether a write may go on. `version`: undefined when there is no such resource. */
export function allows(expected: IfVersions, version: number | undefined): boolean {
  if (expected === undefined) return true
  return version !== undefined && (expected === 'any' || expected.includes(version))
}

/** What to tell when it may not. */
export function notAllowed(what: string, version: number | undefined): string {
  const found = version === undefined ? 'does not exist' : `is at version ${version}`
  return `The ${what} ${found}, which If-Match does not allow. Read it again and decide anew`
}
