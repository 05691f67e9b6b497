/** I7, I11: a task ends once, by its current holder; an ended one changes only when an operator redrives what was dead. */
import { number, of, rowsOf, text, type Check, type CheckOptions, type Row } from './check.ts'

/** Attempts that an authorisation of a card gets. */
const MOST_ATTEMPTS = 12

export function tasksCheck({
  database,
  violate,
  services,
}: CheckOptions & { readonly services: readonly string[] }): Check {
  function judge(service: string, key: string, before: Row, after: Row): void {
    const [was, is] = [text(before, 'state'), text(after, 'state')]
    const isNewToken = number(after, 'token') > number(before, 'token')
    // An extended lease keeps its token and changes nothing else.
    if (!isNewToken && (was !== is || number(after, 'token') < number(before, 'token')))
      violate('I11', `Task ${key} went from ${was} to ${is} without a new token`)
    // A redriven one is open again; a timer may be set anew.
    const mayReopen = was === 'dead' || text(after, 'type') === 'order-deadline'
    if (was !== 'open' && !mayReopen) violate('I11', `Task ${key} of ${service} was ${was} and was changed to ${is}`)
    const isClaim = is === 'open' && number(after, 'attempt') > number(before, 'attempt')
    const earlyMs = number(before, 'dueAt') - database.clock.now()
    if (isClaim && earlyMs > 0) violate('I11', `Task ${key} was claimed ${earlyMs} ms before its lease was over`)
    if (text(after, 'type') === 'authorize-card' && number(after, 'attempt') > MOST_ATTEMPTS)
      violate('I7', `Task ${key} is tried for the ${number(after, 'attempt')}th time`)
  }

  return {
    committed(changes) {
      for (const service of services) {
        for (const { key, before, after } of of(changes, `${service}.tasks`)) {
          if (!after) violate('I7', `Task ${key} of ${service} was removed`)
          if (!before || !after) continue
          judge(service, key, before, after)
        }
      }
    },
    settled() {
      for (const service of services) {
        for (const task of rowsOf(database, `${service}.tasks`)) {
          const state = text(task, 'state')
          if (state === 'open' || state === 'dead')
            violate(
              'I5',
              `Task ${text(task, 'type')} ${text(task, 'id')} of ${service} is ${state} for good: ${text(task, 'error')}`,
            )
        }
      }
    },
  }
}
