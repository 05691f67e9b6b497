import { expect, test } from 'vitest'
import { DeadlinePassed, within } from './deadline.ts'

/** Timers that fire when they are told to. */
function manual() {
  let fire = () => {}
  let cancelled = 0
  const timers = {
    sleep: async () => {},
    after: (_ms: number, task: () => void) => {
      fire = task
      return () => void cancelled++
    },
  }
  return { timers, fire: () => fire(), cancelled: () => cancelled }
}

test('an answer in time is passed on, and the timer is taken back', async () => {
  const { timers, cancelled } = manual()
  expect(await within(10, timers, async () => 'ok')).toBe('ok')
  expect(cancelled()).toBe(1)
})

test('a failure is passed on, also one that is thrown at once', async () => {
  const { timers, cancelled } = manual()
  await expect(within(10, timers, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  const throws = (): Promise<never> => {
    throw new Error('at once')
  }
  await expect(within(10, timers, throws)).rejects.toThrow('at once')
  expect(cancelled()).toBe(2)
})

test('no answer in time is a DeadlinePassed, and what comes late is ignored', async () => {
  const { timers, fire } = manual()
  let late = (_error: Error) => {}
  const answer = within(10, timers, () => new Promise((_resolve, reject) => (late = reject)))
  fire()
  await expect(answer).rejects.toThrow(DeadlinePassed)
  late(new Error('too late to matter'))
})
