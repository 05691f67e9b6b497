/** The post office as orders sees it. */
export interface Mail {
  /** Derived from the task: a mail sent twice is seen once, because readers keep one per Message-ID. */
  readonly messageId: string
  readonly to: { readonly name: string; readonly address: string }
  readonly subject: string
  readonly text: string
}

export type MailAnswer =
  | { readonly kind: 'sent' }
  /** Nobody will ever get it at that address. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Not sent, or nobody knows: again, with the same Message-ID. */
  | { readonly kind: 'again'; readonly reason: string }

/** How many mails are sent at a time, and how long the post office may say nothing. */
export const mailLimits = { connections: 20, silenceMs: 5_000 } as const

export interface Mailer {
  /** What went wrong on the way is an answer too. */
  send(mail: Mail, signal: AbortSignal): Promise<MailAnswer>
}
