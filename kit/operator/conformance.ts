/** What every record of operators' actions must do: keep each whole with its transaction or not at all, and list the newest first. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ActionReader, ActionStore, NewAction } from './port.ts'

export interface ActionTransaction {
  readonly begun: Promise<number>
  readonly actions: ActionStore
  commit(): Promise<void>
  rollback(): Promise<void>
}

export interface ActionAdapter {
  readonly actions: ActionReader
  begin(): Promise<ActionTransaction>
  close(): Promise<void>
}

export const actionOf = (id: string, rest: Partial<NewAction> = {}): NewAction => ({
  id,
  subject: 'olga',
  requestId: 'request',
  action: 'parked.discard',
  target: { group: 'tally', source: 'upstream', key: 'ñ/"1"' },
  reason: 'sent twice',
  result: { discarded: 2, list: [null, 1.5] },
  ...rest,
})

export function actionConformance(name: string, open: () => Promise<ActionAdapter>): void {
  describe(`operators’ actions over ${name}`, () => {
    let adapter: ActionAdapter
    beforeAll(async () => {
      adapter = await open()
    })
    afterAll(() => adapter.close())

    const within = async (...actions: readonly NewAction[]): Promise<number> => {
      const tx = await adapter.begin()
      const at = await tx.begun
      try {
        for (const action of actions) await tx.actions.record(action)
        await tx.commit()
      } finally {
        await tx.rollback()
      }
      return at
    }
    const ids = async (limit: number, before?: string) =>
      (await adapter.actions.list(limit, before)).map(({ id }) => id)

    it('are kept whole, with their time', async () => {
      const whole = actionOf('a1')
      const bare = actionOf('a2', { reason: null, target: {}, result: {} })
      const from = await within(whole, bare)
      const [second, first] = await adapter.actions.list(10)
      expect(first).toEqual({ ...whole, at: expect.any(Number) })
      expect(second).toEqual({ ...bare, at: expect.any(Number) })
      expect(first!.at).toBeGreaterThanOrEqual(from)
    })

    it('come newest first, at most as many as asked for, from behind the one that is named', async () => {
      await within(...['c1', 'c3', 'c2'].map((id) => actionOf(id)))
      expect(await ids(3)).toEqual(['c3', 'c2', 'c1'])
      expect(await ids(2, 'c3')).toEqual(['c2', 'c1'])
      expect(await ids(10, 'c1')).not.toContain('c1')
      expect(await ids(10, '')).toEqual([])
    })

    it('are gone with a transaction that rolls back', async () => {
      const tx = await adapter.begin()
      await tx.begun
      await tx.actions.record(actionOf('r1'))
      await tx.rollback()
      expect(await ids(100)).not.toContain('r1')
    })

    it('are written once: a second of the same id is refused', async () => {
      await within(actionOf('w1'))
      await expect(within(actionOf('w1', { reason: 'another' }))).rejects.toMatchObject({ code: '23505' })
      expect((await adapter.actions.list(100)).find(({ id }) => id === 'w1')).toMatchObject({ reason: 'sent twice' })
    })
  })
}
