/** The program of the labs and the server that shows them have types of their own, which must say the same. */
import { expect, test } from 'vitest'
import type { LabDescription, LabEvent } from '../../labs/contract.ts'
import { faultsOf } from '../../kit/http/testing-openapi.ts'
import { labs } from '../../labs/catalogue.ts'
import { describeLab } from '../../labs/harness/describe.ts'
import { isLabId, Lab, type LabEvent as SentEvent } from '../../server/labs-schemas.ts'

/** Types of the program as they come through JSON. */
type Sent<T> = T extends readonly (infer Item)[]
  ? Sent<Item>[]
  : T extends number
    ? number
    : T extends object
      ? { -readonly [Name in keyof T]: Sent<T[Name]> }
      : T
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** Checked by the compiler. */
const same: [Same<Sent<LabDescription>, Omit<Lab, 'page'>>, Same<Sent<LabEvent>, SentEvent>] = [true, true]

test('labs and events are of the same types, and each lab fits the schema it is shown with', () => {
  expect(same).toEqual([true, true])
  for (const lab of labs) {
    const sent = JSON.parse(JSON.stringify(describeLab(lab))) as object
    expect([lab.id, isLabId(lab.id), faultsOf({ ...Lab }, sent)]).toEqual([lab.id, true, []])
  }
  expect(labs.length).toBeGreaterThan(1)
})
