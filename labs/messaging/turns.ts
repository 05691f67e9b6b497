/** The other side of members.ts: a process that takes a turn whenever it is told to. */
import { child } from '../harness/child.ts'
import { steps, type Step } from '../harness/steps.ts'

/** Begins with `open`, whose result takes the turns. It ends with its parent, or when it is killed. */
export function turns<Input, Task>(
  open: (input: Input, step: Step) => Promise<(task: Task) => Promise<void>>,
): Promise<void> {
  return child<Input>(async (input, stage) => {
    const told: Task[] = []
    let wake = () => {}
    stage.onTold((task) => {
      told.push(task as Task)
      wake()
    })
    const take = await open(input, steps(stage))
    await stage.say('ready')
    for (;;) {
      const task = told.shift()
      if (task === undefined) await new Promise<void>((resolve) => (wake = resolve))
      else {
        await take(task)
        await stage.say('the turn is over')
      }
    }
  })
}
