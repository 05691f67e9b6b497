/** Operators of the simulated world: they redrive what is parked and what is dead, at good moments and bad ones. */
import { redriveDead } from '@cauce/kit/pipeline/dead-letters'
import { redriveKey } from '@cauce/kit/pipeline/redrive'
import { serviceNames, type Server, type World } from './world.ts'

const MOST = 20

/** Redrives everything that waits for a person, through one server. Gives how much that was. */
export async function redriveAll(world: World, server: Server): Promise<number> {
  let found = 0
  for (const name of serviceNames) {
    const { pipeline, storage } = server.services[name]
    try {
      for (const key of await storage.groups.parked(name, MOST)) {
        found += 1
        await redriveKey(pipeline, storage.transactions, name, key)
      }
      const dead = await storage.queue.dead(MOST)
      found += dead.length
      if (dead.length > 0)
        await redriveDead(
          storage.transactions,
          dead.map(({ id }) => id),
        )
    } catch {
      // The database is away, or the server: an operator tries again later.
    }
  }
  if (found > 0) world.trace.add('operator', `redrives ${found}`)
  return found
}
