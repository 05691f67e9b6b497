/** I14: the same input, the same rows, the same `now`: the same decision, byte for byte. Every decision is taken twice. */
import { decisionText, type Context, type Decider, type Decision, type Rows } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import type { Violate } from './check.ts'

export function decidedTwice(definition: ServiceDefinition, violate: Violate): ServiceDefinition {
  const twice = (decider: Decider): Decider => ({
    ...decider,
    decide(data: never, rows: Rows, context: Context): Decision {
      const decision = decider.decide(data, rows, context)
      const again = decider.decide(data, rows, context)
      const [first, second] = [decisionText(decision), decisionText(again)]
      if (first !== second) violate('I14', `${decider.type} decided ${first}, then ${second}`)
      return decision
    },
  })
  const { commands, messages, tasks } = definition
  return { ...definition, commands: commands.map(twice), messages: messages.map(twice), tasks: tasks.map(twice) }
}
