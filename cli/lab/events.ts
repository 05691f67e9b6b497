/** The events of a run as they are read from the labs' program, a line of JSON each. */
import type { LabEvent } from '@cauce/labs/contract'

const types: readonly string[] = [
  'started',
  'variant',
  'progress',
  'note',
  'chart',
  'measured',
  'result',
  'failed',
] satisfies LabEvent['type'][]

/**
 * The event of a line, and what else is on it: somebody's own variant prints to the same place, perhaps without ending its line.
 */
export function readLine(line: string): { event?: LabEvent; printed?: string } {
  const start = line.lastIndexOf('{"type":"')
  for (const at of [0, start]) {
    if (at < 0) continue
    const event = eventOf(line.slice(at))
    if (event) return { event, ...(at > 0 ? { printed: line.slice(0, at) } : {}) }
  }
  return { printed: line }
}

function eventOf(text: string): LabEvent | undefined {
  try {
    const value = JSON.parse(text) as LabEvent | null
    return types.includes(value?.type ?? '') ? (value ?? undefined) : undefined
  } catch {
    return undefined
  }
}
