/** `cauce roadmap`: the phases, what is passed of each, where each thing lives, and what to do next. */
import { programFile } from '@cauce/kit/program/program.js'
import { integer } from '../arguments.ts'
import type { AddCommand } from '../command.ts'
import { exits, type ExitCode } from '../exit.ts'
import { readBook } from '../lab/book.ts'
import { roadmapOf } from '../lab/process.ts'
import { showRoadmap } from '../lab/roadmap.ts'
import type { Shell } from '../shell.ts'
import { examples } from '../usage.ts'

export const addRoadmap: AddCommand = (parent, { t, run }) => {
  parent
    .command('roadmap')
    .description(t('roadmap.about'))
    .option('--phase <n>', t('roadmap.option.phase'), integer(t, 0, 8))
    .addHelpText('after', examples(t, ['roadmap', 'roadmap --phase 3']))
    .action(({ phase }) => run((shell) => roadmap(shell, phase)))
}

/** @param program of the labs, instead of ours */
export async function roadmap(shell: Shell, phase: number | undefined, program?: string): Promise<ExitCode> {
  const file = program ?? (await programFile('labs/main.ts'))
  const { labs, sections } = await roadmapOf(shell, file)
  const book = readBook(shell.settings.dataDirectory)
  if (book.problem !== undefined) shell.output.note(shell.t('lab.notRead', { problem: book.problem }))
  const wanted = phase === undefined ? sections : sections.filter((section) => section.phase === phase)
  showRoadmap(shell, wanted, labs, book)
  return exits.ok
}
