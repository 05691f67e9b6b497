/**
 * Wake-ups between processes over LISTEN/NOTIFY. They make work prompt, never certain: polling does that.
 *
 * N1 A NOTIFY is a statement of its own, never inside a writing transaction: it would serialise commits.
 * N2 Notifications of one topic are coalesced: at most one per interval.
 * N3 While no other process listens, none is sent.
 * N4 The listening connection comes back by itself, and wakes every topic once when it does.
 */
import pg from 'pg'
import type { Timers } from '../core/clock.ts'
import { connectionConfig } from './session.ts'

const CHANNEL = 'cauce'
const APPLICATION = 'cauce listen'
const COALESCE_MS = 10
const LOOK_FOR_PEERS_MS = 2000
const RECONNECT_MS = 1000

export interface NotifierOptions {
  readonly url: () => string
  readonly timers: Timers
  /** Called with the topic that another process notified, and with undefined when some may have been missed. */
  readonly onWake: (topic: string | undefined) => void
}

export interface Notifier {
  /** Tells other processes, soon. Never throws and never waits. */
  notify(topic: string): void
  /** Other processes that listen, as last seen. */
  peers(): number
  close(): Promise<void>
}

export function startNotifier({ url, timers, onWake }: NotifierOptions): Notifier {
  const stopping = new AbortController()
  const due = new Set<string>()
  let client: pg.Client | undefined
  let peers = 0
  let flushing = false

  const flush = async () => {
    flushing = true
    await timers.sleep(COALESCE_MS, stopping.signal)
    flushing = false
    const topics = [...due]
    due.clear()
    // A failure means that the connection is going; listening again wakes everybody.
    await client
      ?.query('SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic', [CHANNEL, topics])
      .catch(() => undefined)
  }

  const listen = async () => {
    const { pipeline: _off, ...config } = connectionConfig(url(), 'read')
    const connection = new pg.Client({ ...config, application_name: APPLICATION })
    const lost = new AbortController()
    connection.on('error', () => lost.abort())
    connection.on('end', () => lost.abort())
    connection.on('notification', ({ processId, payload }) => {
      if (processId !== (connection as unknown as { processID: number }).processID) onWake(payload)
    })
    await connection.connect()
    await connection.query(`LISTEN ${CHANNEL}`)
    client = connection
    onWake(undefined)
    const over = AbortSignal.any([lost.signal, stopping.signal])
    while (!over.aborted) {
      const { rows } = await connection.query<{ count: number }>(
        `SELECT count(*) - 1 AS count FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()`,
        [APPLICATION],
      )
      peers = rows[0]?.count ?? 0
      await timers.sleep(LOOK_FOR_PEERS_MS, over)
    }
    client = undefined
    await connection.end().catch(() => undefined)
  }

  const run = async () => {
    while (!stopping.signal.aborted) {
      await listen().catch(() => {
        client = undefined
      })
      await timers.sleep(stopping.signal.aborted ? 0 : RECONNECT_MS, stopping.signal)
    }
  }
  const running = run()

  return {
    notify(topic) {
      if (peers === 0 || !client) return
      due.add(topic)
      if (!flushing) void flush()
    },
    peers: () => peers,
    async close() {
      stopping.abort()
      await running
    },
  }
}
