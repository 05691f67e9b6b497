/** Times and durations as people read them. */
import type { Lang } from './texts.ts'

/** An ISO time in the reader's time zone. */
export function formatTime(iso: string, lang: Lang): string {
  const options = { dateStyle: 'short', timeStyle: 'medium' } as const
  return new Intl.DateTimeFormat(lang === 'es' ? 'es-ES' : 'en-GB', options).format(new Date(iso))
}

/** `12 ms`, `1.5 s`, `3 min 20 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const s = Math.round(ms / 1000)
  return `${Math.floor(s / 60)} min ${s % 60} s`
}
