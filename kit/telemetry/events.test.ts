import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { event, eventLog, kitEvents } from './events.ts'
import { createLogger } from './logger.ts'

describe('events', () => {
  test('are logged by name, with the level and the message of the catalogue', () => {
    const lines: string[] = []
    const log = eventLog(createLogger({ stream: { write: (line) => lines.push(line) } }), kitEvents)
    log('task.fenced', { queue: 'cards', taskId: 't1' })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      event: 'task.fenced',
      queue: 'cards',
      msg: kitEvents['task.fenced'].says,
    })
  })

  test('with a wrong name or wrong fields do not compile', () => {
    const log = eventLog(createLogger({ level: 'silent' }), { 'a.b': event('info', 'Something', { n: Type.Number() }) })
    log('a.b', { n: 1 })
    // @ts-expect-error not in the catalogue
    log('a.c', { n: 1 })
    // @ts-expect-error a field of another type
    log('a.b', { n: 'one' })
  })

  test('every event says what happened and describes its fields', () => {
    for (const [name, spec] of Object.entries(kitEvents)) {
      expect(name).toMatch(/^[a-z]+(\.[a-z-]+)+$/)
      expect(spec.says).not.toMatch(/\.$/)
      for (const field of Object.values(spec.fields))
        expect((field as { description?: string }).description, name).toBeTruthy()
    }
  })
})
