/** `cauce doctor`: looks at everything Cauce needs and says what to do. */
import type { AddCommand } from '../command.ts'
import { subjects, type Finding } from '../doctor/finding.ts'
import { checkData, checkDisk, checkKey, checkNode, checkPort } from '../doctor/local.ts'
import { checkRemote } from '../doctor/remote.ts'
import { exits, type ExitCode } from '../exit.ts'
import { table, type Colours } from '../output.ts'
import type { Shell } from '../shell.ts'
import { examples } from '../usage.ts'

export const addDoctor: AddCommand = (parent, { t, run }) => {
  parent
    .command('doctor')
    .description(t('doctor.about'))
    .addHelpText('after', examples(t, ['doctor', 'doctor --json', 'doctor --url http://127.0.0.1:9000']))
    .action(() => run(doctor))
}

async function doctor(shell: Shell): Promise<ExitCode> {
  const { t, settings, output } = shell
  const remote = await checkRemote(shell)
  const local = [checkNode(t), checkData(t, settings), checkKey(t, settings), await checkDisk(t, settings)]
  const port = await checkPort(t, settings, remote.serving)
  const findings = [...local, port, ...remote.findings].toSorted(
    (a, b) => subjects.indexOf(a.name) - subjects.indexOf(b.name),
  )
  const ok = findings.every(({ status }) => status !== 'fail')
  output.result({ ok, checks: findings }, () => showFindings(findings, shell))
  return ok ? exits.ok : exits.failed
}

function showFindings(findings: readonly Finding[], { t, output: { colour } }: Shell): string {
  const rows = findings.flatMap(({ name, status, detail, advice }) => [
    [paint(colour, status)(t(`doctor.mark.${status}`)), t(`doctor.name.${name}`), detail],
    ...(advice === null ? [] : [['', '', colour.dim(`→ ${advice}`)]]),
  ])
  const count = (wanted: Finding['status']) => findings.filter(({ status }) => status === wanted).length
  const failures = count('fail')
  const warnings = count('warn')
  const verdict =
    failures > 0
      ? colour.red(t('doctor.failed', { count: failures }))
      : warnings > 0
        ? colour.yellow(t('doctor.withWarnings', { count: warnings }))
        : colour.green(t('doctor.allOk'))
  return `${table({ rows, colour })}\n\n${verdict}`
}

function paint(colour: Colours, status: Finding['status']): (text: string) => string {
  if (status === 'ok') return colour.green
  return status === 'warn' ? colour.yellow : colour.red
}
