/** Numbers on an axis: round steps, or powers of ten where the axis is logarithmic. */

export interface Scale {
  /** Where a value is drawn; undefined when it cannot be (zero on a logarithmic axis). */
  place(value: number): number | undefined
  /** What stands at a place. */
  valueAt(place: number): number
  /** Places of the marks, ascending. */
  readonly ticks: readonly number[]
}

const STEPS = [1, 2, 5, 10] as const

/** @param marks how many there should be, about */
export function linearScale(low: number, high: number, marks: number): Scale {
  const end = high > low ? high : low + 1
  const rough = (end - low) / Math.max(1, marks - 1)
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = magnitude * (STEPS.find((each) => each * magnitude >= rough) ?? 10)
  const first = Math.floor(low / step)
  const count = Math.ceil(end / step) - first + 1
  // Multiplied, not added up: 0.1 + 0.2 is not a mark.
  const ticks = Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(12)))
  return { place: (value) => value, valueAt: (place) => place, ticks }
}

export function logScale(low: number, high: number): Scale {
  const first = Math.floor(Math.log10(low))
  const last = Math.max(first + 1, Math.ceil(Math.log10(high)))
  return {
    place: (value) => (value > 0 ? Math.log10(value) : undefined),
    valueAt: (place) => 10 ** place,
    ticks: Array.from({ length: last - first + 1 }, (_, index) => first + index),
  }
}

/** A scale for these values; undefined when none of them can be drawn. */
export function scaleOf(values: readonly number[], kind: 'linear' | 'log', marks: number): Scale | undefined {
  const drawable = values.filter((value) => Number.isFinite(value) && (kind === 'linear' || value > 0))
  if (drawable.length === 0) return undefined
  const low = Math.min(...drawable)
  const high = Math.max(...drawable)
  if (kind === 'log') return logScale(low, high)
  // From zero, unless that would hide the shape: a length says how much only from there.
  return linearScale(low > 0 && low < high * 0.8 ? 0 : low, high, marks)
}
