/** The name that was probably meant. */

/** Undefined when none is near: as many as a third of its letters may differ, at least two. */
export function closest(wanted: string, names: readonly string[]): string | undefined {
  const distances = names.map((name) => ({ name, distance: distance(wanted.toLowerCase(), name) }))
  const [best] = distances.toSorted((one, other) => one.distance - other.distance)
  if (!best) return undefined
  if (best.distance <= Math.max(2, best.name.length / 3)) return best.name
  return names.find((name) => wanted.length > 2 && name.includes(wanted.toLowerCase()))
}

/** How many letters must be put in, taken out or replaced (Levenshtein). */
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const line = [row]
    for (let column = 1; column <= other.length; column++) {
      const replaced = above[column - 1]! + (one[row - 1] === other[column - 1] ? 0 : 1)
      line.push(Math.min(replaced, above[column]! + 1, line[column - 1]! + 1))
    }
    above = line
  }
  return above[other.length]!
}
