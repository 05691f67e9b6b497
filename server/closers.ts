import type { Logger } from '@cauce/kit/telemetry/logger'

/** How to close what was opened, in the order of opening. */
export type Closers = (() => Promise<unknown>)[]

/** Closes in reverse order. A failure is logged and the rest is closed all the same. */
export async function closeAll(opened: Closers, logger: Logger): Promise<void> {
  for (const close of opened.splice(0).toReversed()) {
    await close().catch((err: unknown) => logger.error({ err }, 'While closing'))
  }
}
