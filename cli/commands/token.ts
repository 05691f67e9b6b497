/** `cauce token`: prints the bare token, so that `$(npx cauce token …)` is one. Signs offline. */
import { Option } from '@commander-js/extra-typings'
import { duration, subject } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits } from '../exit.ts'
import { createToken } from '../http/tokens.ts'
import { examples } from '../usage.ts'

export const addToken: AddCommand = (parent, { t, run }) => {
  parent
    .command('token')
    .description(t('token.about'))
    .addOption(
      new Option('--role <role>', t('token.role'))
        .choices(['customer', 'operator'] as const)
        .default('customer' as const),
    )
    .requiredOption('--subject <id>', t('token.subject'), subject(t))
    .option('--expires-in <time>', t('token.expiresIn'), duration(t), 3600)
    .addHelpText(
      'after',
      examples(t, ['token --role customer --subject alice', 'token --role operator --subject me --expires-in 8h']) +
        `\n  $ curl -H "Authorization: Bearer $(npx cauce token --subject alice)" http://127.0.0.1:8080/v1/orders`,
    )
    .action(({ role, subject: of, expiresIn }) =>
      run(async ({ settings, output, world: { clock } }) => {
        const token = await createToken(settings.dataDirectory, clock, { role, subject: of }, expiresIn)
        output.result({ token, role, subject: of, expiresInS: expiresIn }, () => token)
        return exits.ok
      }),
    )
}
