import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { instant, integer, oneOf, table, text } from '../database/table.ts'
import { message } from '../log/message.ts'
import { accept, on, onCommand, onTask, reject, unchanged, type Decider } from './decision.ts'
import { command, due, finished, given } from './given.ts'

const door = table('doors', {
  key: 'id',
  columns: { id: text, name: text, state: oneOf('open', 'shut'), lock: text, turns: integer, changedAt: instant },
  fixed: ['lock'],
  unique: { name: ['name'] },
  checks: { turned: (row) => row.turns >= 0 },
})
const key = table('locks', { key: 'id', columns: { id: text, uses: integer } })
const visit = table('visits', { key: 'id', columns: { id: text, at: instant }, appendOnly: true })

const Knock = message('Knock', 'id', Type.Object({ id: Type.String() }))
const Opened = message('Opened', 'id', Type.Object({ id: Type.String(), turns: Type.Integer() }))

/** Opens a door, counts the uses of its lock (named by the door's row), notes the visit. */
const knock = on(Knock, {
  lock: ({ id }, rows) => {
    const lock = rows.get(door, id)?.lock
    return [door.key(id), ...(lock ? [key.key(lock)] : [])]
  },
  decide({ id }, rows, { now, inputId }) {
    const found = rows.get(door, id)
    if (!found) return reject('no-door', `There is no door ${id}`)
    if (found.state === 'open') return unchanged
    const used = rows.get(key, found.lock)!
    return accept({
      changes: [
        door.update({ ...found, state: 'open', turns: found.turns + 1, changedAt: now }),
        key.update({ ...used, uses: used.uses + 1 }),
        visit.insert({ id: inputId, at: now }),
      ],
      messages: [Opened({ id, turns: found.turns + 1 })],
    })
  },
})

const tables = [door, key, visit]
const front = { id: 'front', name: 'Front', state: 'shut', lock: 'yale', turns: 0, changedAt: 1 } as const
const there = [door.insert(front), key.insert({ id: 'yale', uses: 0 })]
const doors = { tables, messages: [knock] }

/** A service with one command, decided like this. */
const naughty = (decide: Decider['decide'], lock: Decider['lock'] = () => [door.key('front')]) => ({
  tables,
  commands: [{ type: 'Do', lock, decide }],
})
const decided = (decide: Decider['decide'], lock?: Decider['lock']) => () =>
  given(naughty(decide, lock), ...there).when(command('Do', { list: [1] }))

describe('given, when, then', () => {
  test('a story: rows, messages, repetition', () => {
    const opened = given(doors, ...there)
      .when(Knock({ id: 'front' }), { now: 5, id: 'k1' })
      .then(Opened({ id: 'front', turns: 1 }))
    expect(opened.row(door, 'front')).toEqual({ ...front, state: 'open', turns: 1, changedAt: 5 })
    expect(opened.row(key, 'yale')).toEqual({ id: 'yale', uses: 1 })
    expect(opened.rows(visit)).toEqual([{ id: 'k1', at: 5 }])
    expect(opened.changes).toHaveLength(3)
    opened.when(Knock({ id: 'front' })).thenUnchanged()
    opened.when(Knock({ id: 'back' })).thenRejected('no-door', /back/)
  })

  test('steps do not change earlier ones', () => {
    const start = given(doors, ...there)
    start.when(Knock({ id: 'front' })).then(Opened)
    expect(start.row(door, 'front')?.state).toBe('shut')
  })

  test('commands and tasks', () => {
    const service = {
      tables,
      commands: [onCommand<{ id: string }>('Ask', { lock: () => [], decide: ({ id }) => accept({ reply: id }) })],
      tasks: [
        onTask<{ id: string }>('tick', {
          lock: () => [],
          decide: ({ taskId, data, result }, _, { now }) =>
            accept({ messages: [Opened({ id: `${data.id} ${taskId} ${result.kind}`, turns: now })] }),
        }),
      ],
    }
    expect(
      given(service)
        .when(command('Ask', { id: 'x' }))
        .then().reply,
    ).toBe('x')
    given(service)
      .when(due('tick', { id: 'x' }), { id: 't:1', now: 9 })
      .then(Opened({ id: 'x t:1 due', turns: 9 }))
    given(service)
      .when(finished('tick', { id: 'x' }, { kind: 'exhausted', reason: 'no answer' }), { id: 't:2', now: 9 })
      .then(Opened({ id: 'x t:2 exhausted', turns: 9 }))
  })

  test('an expectation that does not hold fails', () => {
    const asked = given(doors, ...there).when(Knock({ id: 'front' }))
    expect(() => asked.then()).toThrow()
    expect(() => asked.then(Opened({ id: 'front', turns: 2 }))).toThrow()
    expect(() => asked.thenUnchanged()).toThrow()
    expect(() => asked.thenRejected('no-door')).toThrow('accepted')
    expect(() =>
      given(doors)
        .when(Knock({ id: 'front' }))
        .then(),
    ).toThrow('no-door')
  })

  test('awaiting a decision is refused', async () => {
    const asked: unknown = given(doors).when(Knock({ id: 'front' }))
    await expect(async () => asked).rejects.toThrow('Do not await')
  })
})

describe('strictness', () => {
  test('reading or changing a row the lock did not name', () => {
    expect(decided((_, rows) => accept({ reply: rows.get(key, 'yale') }))).toThrow('lock did not name')
    expect(decided(() => accept({ changes: [key.insert({ id: 'new', uses: 0 })] }))).toThrow('lock did not name')
    expect(
      decided((_, __, { inputId }) => accept({ changes: [key.insert({ id: `key_${inputId}`, uses: 0 })] })),
    ).not.toThrow()
    const stale = () => [door.read('front')]
    expect(decided(() => accept({ changes: [door.update({ ...front, turns: 1 })] }), stale)).toThrow(
      'lock did not name',
    )
  })

  test('a lock that goes back to an earlier table', () => {
    const backwards: Decider['lock'] = (_, rows) =>
      rows.get(key, 'yale') ? [key.key('yale'), door.key('front')] : [key.key('yale')]
    expect(decided(() => unchanged, backwards)).toThrow('after a later table was loaded')
  })

  test('rows that their table forbids', () => {
    const update = (row: object) => decided(() => accept({ changes: [door.update({ ...front, ...row })] }))
    expect(update({ turns: -1 })).toThrow('doors_turned')
    expect(update({ lock: 'other' })).toThrow('lock is fixed')
    expect(update({ turns: 0.5 })).toThrow('turns: 0.5 cannot be stored as integer')
    expect(update({ name: null })).toThrow('name is missing')
    expect(update({ colour: 'red' })).toThrow('not one of its columns')
    const twin = { ...front, id: 'twin' }
    expect(
      decided(
        () => accept({ changes: [door.insert(twin)] }),
        () => [door.key('twin')],
      ),
    ).toThrow('"name" says are unique')
    expect(
      decided(() => accept({ changes: [visit.insert({ id: 'v', at: 1 }), visit.insert({ id: 'v', at: 2 })] })),
    ).toThrow('exists already')
  })

  test('mutation, moods and throws', () => {
    let calls = 0
    expect(decided(() => accept({ reply: calls++ }))).toThrow('differently the second time')
    expect(decided((data) => accept({ reply: (data as { list: number[] }).list.push(2) }))).toThrow(TypeError)
    expect(decided((_, rows) => accept({ reply: Object.assign(rows.get(door, 'front')!, { turns: 7 }) }))).toThrow(
      TypeError,
    )
    expect(
      decided(() => {
        throw new Error('a bug')
      }),
    ).toThrow('a bug')
    expect(() => given(doors).when(command('Nothing', {}))).toThrow('Nothing handles command Nothing')
  })
})
