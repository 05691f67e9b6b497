/** The world outside as a process of its own: a card processor, a carrier and a post office that can be asked what they have done. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { programFile } from '@cauce/kit/program/program.js'
import type { Stage } from '../harness/stage.ts'

export interface Charge {
  /** What it was charged under. */
  readonly key: string
  readonly paymentId: string
  readonly amount: number
}

export interface OutsideWorld {
  /** Of the card processor and the carrier. */
  readonly url: string
  /** Of the post office. */
  readonly smtp: string
  charges(): Promise<readonly Charge[]>
  /** Who got a mail: as often as they got one. */
  mailsTo(): Promise<readonly string[]>
  shipments(): Promise<number>
}

export async function startOutside({
  directory,
  closing,
}: Pick<Stage, 'directory' | 'closing'>): Promise<OutsideWorld> {
  const program = await programFile('sandbox/main.ts')
  const child = spawn(process.execPath, [program, '--data', directory(), '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const orphaned = () => void child.kill('SIGKILL')
  process.once('exit', orphaned)
  const ended = once(child, 'exit')
  closing(async () => {
    child.kill('SIGKILL')
    await ended
    process.off('exit', orphaned)
  })
  let said = ''
  for await (const line of createInterface({ input: child.stdout })) {
    said = line
    break
  }
  const [url, smtp] = said.match(/(http|smtp):\/\/[^\s,]+/g) ?? []
  if (url === undefined || smtp === undefined) throw new Error(`The world outside did not start: ${said}`)
  const items = async <T>(path: string): Promise<T[]> => {
    const response = await fetch(new URL(path, url))
    return ((await response.json()) as { items: T[] }).items
  }
  return {
    url,
    smtp,
    charges: () => items<Charge>('/charges'),
    mailsTo: async () => (await items<{ to: string }>('/mails')).map(({ to }) => to),
    shipments: async () => (await items('/shipments')).length,
  }
}
