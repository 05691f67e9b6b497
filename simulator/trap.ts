/**
 * While a simulation runs, nothing in this process may ask the real clock or the real dice: who does has left the simulated
 * world, and the seed no longer says what happens. The lint rule finds it in our sources; this finds it in what they call.
 */

interface Trap {
  release(): void
}

/** The ways out of a simulated world. */
const doors: readonly (readonly [owner: object, name: string])[] = [
  [Date, 'now'],
  [Math, 'random'],
  [globalThis, 'setTimeout'],
  [globalThis, 'setInterval'],
  [performance, 'now'],
]

export function trapReality(): Trap {
  const real = doors.map(([owner, name]) => Reflect.get(owner, name) as unknown)
  for (const [owner, name] of doors) {
    Reflect.set(owner, name, () => {
      throw new Error(`${name} was called in a simulation. Take the Clock, Timers, Random or IdSource that is given`)
    })
  }
  return {
    release() {
      for (const [index, [owner, name]] of doors.entries()) Reflect.set(owner, name, real[index])
    },
  }
}
