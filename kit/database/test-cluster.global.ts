/** Vitest's global set-up: one PostgreSQL for the whole run. See testing.ts. */
import { shareTestCluster } from './testing.ts'

export default async function setup(): Promise<() => Promise<void>> {
  const cluster = await shareTestCluster()
  return () => cluster.stop()
}
