import { describe, expect, test } from 'vitest'
import {
  all,
  begin,
  fail,
  go,
  hasEnded,
  onCancel,
  onDeadline,
  onEvent,
  type SagaDefinition,
  type SagaState,
} from './machine.ts'

const say = (type: string) => ({ type, key: 'x', data: {} })

/** Two steps with a way back, the point of no return, and a step that waits for two answers. */
const trip: SagaDefinition<object> = {
  name: 'trip',
  version: 3,
  undoAgainMs: 60,
  steps: {
    hotel: {
      ask: () => [say('BookHotel')],
      on: { HotelBooked: go('car'), HotelFull: fail('no-room') },
      undo: { ask: () => say('FreeHotel'), until: ['HotelFreed'] },
      withinMs: 100,
    },
    car: {
      ask: () => [say('BookCar')],
      on: { CarBooked: go('flight'), NoCar: fail('no-car') },
      undo: { ask: () => say('FreeCar'), until: ['CarFreed', 'CarNeverBooked'] },
      withinMs: 100,
    },
    flight: {
      pivot: true,
      ask: () => [say('Fly')],
      on: { Landed: go('bills'), Cancelled: fail('no-flight') },
      withinMs: 1000,
    },
    bills: {
      ask: () => [say('PayHotel'), say('PayCar')],
      on: { HotelPaid: all('completed'), CarPaid: all('completed') },
      withinMs: 1000,
    },
  },
}

const types = (messages: readonly { type: string }[]) => messages.map((message) => message.type)
const late = { code: 'deadline', message: '' }
const unwanted = { code: 'cancelled', message: '' }

function walk(...events: readonly string[]): { state: SagaState; asked: string[] } {
  const first = begin(trip, {}, 0)
  let { state } = first
  const asked = types(first.messages)
  for (const type of events) {
    const move = onEvent(trip, state, { type, data: {} }, {}, 0)
    if (!move) continue
    state = move.state
    asked.push(...types(move.messages))
  }
  return { state, asked }
}

describe('the way forward', () => {
  test('asks one step after the other and waits for all answers of the last', () => {
    expect(walk('HotelBooked', 'CarBooked', 'Landed', 'CarPaid').state).toMatchObject({
      status: 'bills',
      waiting: ['HotelPaid'],
    })
    const { state, asked } = walk('HotelBooked', 'CarBooked', 'Landed', 'CarPaid', 'HotelPaid')
    expect(state).toMatchObject({ status: 'completed', deadlineAt: null, version: 3 })
    expect(asked).toEqual(['BookHotel', 'BookCar', 'Fly', 'PayHotel', 'PayCar'])
  })

  test('S4: answers that come twice, early or after the end change nothing', () => {
    expect(walk('CarBooked', 'Landed').state.status).toBe('hotel')
    expect(walk('HotelBooked', 'HotelBooked').asked).toEqual(['BookHotel', 'BookCar'])
    expect(walk('HotelBooked', 'CarBooked', 'Landed', 'CarPaid', 'CarPaid').state.waiting).toEqual(['HotelPaid'])
    expect(onEvent(trip, walk('HotelFull').state, say('HotelBooked'), {}, 0)).toBeUndefined()
  })
})

describe('the way back', () => {
  test('S2: a step that failed has nothing to undo', () => {
    const { state, asked } = walk('HotelFull')
    expect(state).toMatchObject({ status: 'cancelled', failure: { code: 'no-room' }, undo: [] })
    expect(asked).toEqual(['BookHotel'])
  })

  test('S3: undoes in reverse order, one at a time', () => {
    const flying = walk('HotelBooked', 'CarBooked', 'Cancelled')
    expect(flying.state).toMatchObject({ status: 'compensating', undo: ['car', 'hotel'] })
    expect(flying.asked.at(-1)).toBe('FreeCar')
    const { state, asked } = walk('HotelBooked', 'CarBooked', 'Cancelled', 'CarFreed', 'HotelFreed')
    expect(state).toMatchObject({ status: 'cancelled', undo: [], failure: { code: 'no-flight' } })
    expect(asked.slice(-2)).toEqual(['FreeCar', 'FreeHotel'])
  })

  test('an undo out of turn, or a late answer, does not hurry it', () => {
    const { state } = walk('HotelBooked', 'CarBooked', 'Cancelled', 'HotelFreed', 'CarBooked', 'Landed')
    expect(state).toMatchObject({ status: 'compensating', undo: ['car', 'hotel'] })
  })

  test('either of two answers to an undo will do', () => {
    expect(walk('HotelBooked', 'CarBooked', 'Cancelled', 'CarNeverBooked').state.undo).toEqual(['hotel'])
  })

  test("the failing event's own code and message win", () => {
    const { state } = begin(trip, {}, 0)
    const move = onEvent(
      trip,
      state,
      { type: 'HotelFull', data: { code: 'fully-booked', message: 'In August?' } },
      {},
      0,
    )
    expect(move?.state.failure).toEqual({ code: 'fully-booked', message: 'In August?' })
  })
})

describe('cancelling', () => {
  test('S2: the step that was asked and not answered is undone too', () => {
    const move = onCancel(trip, walk('HotelBooked').state, unwanted, {}, 7)
    expect(move?.state).toMatchObject({ status: 'compensating', undo: ['car', 'hotel'], deadlineAt: 67 })
    expect(types(move!.messages)).toEqual(['FreeCar'])
  })

  test.each([
    ['HotelBooked', 'CarBooked'],
    ['HotelBooked', 'CarBooked', 'Landed'],
  ])('S1: not past the point of no return: %s %s %s', (...events) => {
    expect(onCancel(trip, walk(...events).state, unwanted, {}, 0)).toBeUndefined()
  })

  test('not when it is completed; nothing more when it is compensating or cancelled', () => {
    expect(
      onCancel(trip, walk('HotelBooked', 'CarBooked', 'Landed', 'CarPaid', 'HotelPaid').state, unwanted, {}, 0),
    ).toBeUndefined()
    const { state } = walk('HotelFull')
    expect(onCancel(trip, state, unwanted, {}, 0)).toEqual({ state, messages: [] })
  })
})

describe('deadlines', () => {
  test('before the point of no return they compensate', () => {
    const { state } = walk()
    expect(onDeadline(trip, state, late, {}, 99)).toBeUndefined()
    expect(onDeadline(trip, state, late, {}, 100)?.state).toMatchObject({
      status: 'compensating',
      failure: late,
      undo: ['hotel'],
    })
  })

  test('S1: after it they ask again and raise an alarm', () => {
    const { state } = walk('HotelBooked', 'CarBooked')
    const move = onDeadline(trip, state, late, {}, 1000)
    expect(move).toMatchObject({ alarm: 'flight is overdue', state: { status: 'flight', deadlineAt: 2000 } })
    expect(types(move!.messages)).toEqual(['Fly'])
  })

  test('S3: an undo that is not answered is asked again, with an alarm', () => {
    const { state } = onCancel(trip, walk('HotelBooked').state, unwanted, {}, 0)!
    const move = onDeadline(trip, state, late, {}, 60)
    expect(move).toMatchObject({
      alarm: 'undoing car is overdue',
      state: { status: 'compensating', deadlineAt: 120, failure: unwanted },
    })
    expect(types(move!.messages)).toEqual(['FreeCar'])
  })

  test('an ended instance has none', () => {
    expect(hasEnded(walk('HotelFull').state)).toBe(true)
    expect(onDeadline(trip, walk('HotelFull').state, late, {}, 1e9)).toBeUndefined()
  })
})
