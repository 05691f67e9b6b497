/** What `cauce up` starts: the platform, or one of the learner's two smaller projects, which keep their files apart from its. */
import { join } from 'node:path'

export interface Project {
  /** Its source, from the root. */
  readonly program: string
  /** Where its log is, within the data directory. */
  readonly directory: string
  /** Whether `cauce doctor` knows it: it looks at the platform alone. */
  readonly isPlatform?: true
  /** Commands to try on it, when these services run. */
  readonly commands: (services: readonly string[]) => readonly string[]
}

const order = 'order place --customer alice --sku LAMP'
const shop = (...orders: readonly string[]) => ['account open alice', 'account deposit alice --amount 100', ...orders]

const platform: Project = {
  program: 'server/main.ts',
  directory: '.',
  isPlatform: true,
  commands: () => ['demo --orders 1000', `${order} --quantity 2 --wait`, 'audit'],
}

const projects: Readonly<Record<number, Project>> = {
  1: { program: 'projects/1-api-db/main.ts', directory: 'project-1', commands: () => shop(order) },
  2: {
    program: 'projects/2-queue-worker/main.ts',
    directory: 'project-2',
    // A worker alone has nobody to talk to.
    commands: (services) => (services.includes('api') ? shop(`${order} --wait`) : []),
  },
}

/** The platform is the third, and what is started when nothing is said. */
export const projectOf = (number = 3): Project => projects[number] ?? platform

export const directoryOf = ({ directory }: Project, dataDirectory: string): string => join(dataDirectory, directory)
