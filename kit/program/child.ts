/** For programs that are started as processes of their own, and know nothing of us. */

/** kill -9 of a process group: of a process that leads one, and of what it started. */
export function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL')
  } catch {
    // Nobody is left of it.
  }
}

/** What a program needs to run at all. */
const needed = /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LANGUAGE|LC_\w+|LD_LIBRARY_PATH)$/

/** An environment without settings and secrets. */
export const bareEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => needed.test(name)))
