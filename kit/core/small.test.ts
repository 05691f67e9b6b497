import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemTimers } from './clock.ts'
import { groupBy, halve } from './collections.ts'
import { idPattern, prefixed, sibling, suffixOf } from './ids.ts'
import { systemIds } from './id-source.ts'
import { prop } from './testing-property.ts'

describe('lists', () => {
  prop([fc.array(fc.integer())])('halves make the whole, and the first is the longer one', (items) => {
    const [first, second] = halve(items)
    expect([...first, ...second]).toEqual(items)
    expect(first.length - second.length === 0 || first.length - second.length === 1).toBe(true)
  })

  prop([fc.array(fc.integer())])('groups hold every item once, in order', (items) => {
    const groups = groupBy(items, (item) => Math.abs(item) % 3)
    expect([...groups.values()].flat().toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b))
    for (const [key, group] of groups) expect(group).toEqual(items.filter((item) => Math.abs(item) % 3 === key))
  })
})

describe('ids', () => {
  it('are drawn in order of time, and fit their pattern', () => {
    const drawn = Array.from({ length: 1000 }, () => systemIds.draw())
    expect(new Set(drawn).size).toBe(1000)
    expect(drawn.toSorted()).toEqual(drawn)
    for (const id of drawn) expect(prefixed('ord', id)).toMatch(idPattern('ord'))
    expect('ord_X').not.toMatch(idPattern('ord'))
  })

  it('share the suffix of what they belong to', () => {
    expect(sibling('pay', 'ord_12ab')).toBe('pay_12ab')
    expect(suffixOf('ord_12_ab')).toBe('12_ab')
    expect(suffixOf('bare')).toBe('bare')
    expect(sibling('pay', 'bare')).toBe('pay_bare')
  })
})

describe('the timers of the system', () => {
  it('sleep, wake early, and cancel', async () => {
    await systemTimers.sleep(1)
    const abort = new AbortController()
    const sleeping = systemTimers.sleep(60_000, abort.signal)
    abort.abort()
    await sleeping
    await systemTimers.sleep(60_000, abort.signal)
    let called = 0
    const cancel = systemTimers.after(1, () => called++)
    cancel()
    await systemTimers.sleep(3)
    expect(called).toBe(0)
    await new Promise<void>((resolve) => void systemTimers.after(1, resolve))
  })
})
