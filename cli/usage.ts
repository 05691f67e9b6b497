/**
 * Commander's own words in both languages: the headings of its help and its complaints. It has no setting for them, so its
 * messages are taken apart by their code; one that is not known is shown as it is (a test provokes all we can cause).
 */
import type { CommanderError, HelpConfiguration, Option } from '@commander-js/extra-typings'
import type { Colours } from './output.ts'
import type { TextKey, Translate } from './texts.ts'

const headings: Readonly<Record<string, TextKey>> = {
  'Usage:': 'help.usage',
  'Arguments:': 'help.arguments',
  'Options:': 'help.options',
  'Global Options:': 'help.globalOptions',
  'Commands:': 'help.commands',
}

export function helpConfiguration(t: Translate, colour: Colours): HelpConfiguration {
  return {
    showGlobalOptions: true,
    styleTitle(title) {
      const key = headings[title]
      return colour.bold(key === undefined ? title : (t as (key: TextKey) => string)(key))
    },
    styleCommandText: (text) => colour.cyan(text),
    styleOptionText: (text) => colour.cyan(text),
    optionDescription: (option) => described(option, t),
  }
}

function described({ description, argChoices, defaultValue }: Option, t: Translate): string {
  const more = [
    ...(argChoices === undefined ? [] : [`${t('help.choices')}: ${argChoices.join(', ')}`]),
    ...(defaultValue === undefined || defaultValue === false ? [] : [`${t('help.default')}: ${String(defaultValue)}`]),
  ]
  return more.length === 0 ? description : `${description} (${more.join('; ')})`
}

/** The examples at the end of a command's help. */
export function examples(t: Translate, lines: readonly string[]): string {
  return `\n${t('help.examples')}\n${lines.map((line) => `  $ npx cauce ${line}`).join('\n')}`
}

/** What was wrong with the command line. */
export function usageText({ code, message }: Pick<CommanderError, 'code' | 'message'>, t: Translate): string {
  const [, name = ''] = /'([^']*)'/.exec(message) ?? []
  const suggestion = /Did you mean (?:one of )?([^?]+)\?/.exec(message)?.[1]
  const hint = suggestion === undefined ? '' : ` ${t('usage.didYouMean', { name: suggestion })}`
  switch (code) {
    case 'commander.unknownOption':
      return t('usage.unknownOption', { name }) + hint
    case 'commander.unknownCommand':
      return t('usage.unknownCommand', { name }) + hint
    case 'commander.missingArgument':
      return t('usage.missingArgument', { name })
    case 'commander.optionMissingArgument':
      return t('usage.optionMissingArgument', { name })
    case 'commander.missingMandatoryOptionValue':
      return t('usage.missingOption', { name })
    case 'commander.excessArguments': {
      const [, expected = '', given = ''] = /Expected (\d+) arguments? but got (\d+)/.exec(message) ?? []
      return t('usage.tooManyArguments', { expected, given })
    }
    case 'commander.invalidArgument':
      return invalidValue(message, t)
    default:
      return message.replace(/^error: /, '')
  }
}

/** `error: option '--x <y>' argument 'z' is invalid. why`, and the same for a command-argument. */
function invalidValue(message: string, t: Translate): string {
  const pattern =
    /^error: (?:option '([^']*)' argument|command-argument value) '(.*)' is invalid(?: for argument '([^']*)')?\. (.*)$/s
  const [, option, value = '', argument = '', reason = ''] = pattern.exec(message) ?? []
  const allowed = /^Allowed choices are (.*)\.$/.exec(reason)?.[1]
  const why = allowed === undefined ? reason : t('usage.choices', { choices: allowed })
  return t('usage.invalidValue', { name: option ?? argument, value, why })
}
