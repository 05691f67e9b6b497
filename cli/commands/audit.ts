/** `cauce audit`: are the books right, now, while everything runs? */
import type { AddCommand } from '../command.ts'
import { exits } from '../exit.ts'
import { showAudit } from '../audit-view.ts'
import { examples } from '../usage.ts'

export const addAudit: AddCommand = (parent, { t, run }) => {
  parent
    .command('audit')
    .description(t('audit.about'))
    .addHelpText('after', examples(t, ['audit', 'audit --json']))
    .action(() =>
      run(async (shell) => {
        const audit = await shell.connect().api.audit()
        shell.output.result(audit, () => showAudit(audit, shell))
        return audit.ok ? exits.ok : exits.failed
      }),
    )
}
