/** Seeds that once found a bug, with what it was: run by every test. A found one is added here, and never taken away. */
export const keptSeeds: readonly { readonly seed: number; readonly found: string }[] = []
