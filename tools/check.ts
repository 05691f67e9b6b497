/** `npm run check`: everything that is true of the sources without running them. Exit code 1 when anything is not. */

import { check } from './steps.ts'
import { seconds } from './run.ts'

const started = performance.now()
const failed = await check()
console.log(
  `\ncheck: ${failed.length === 0 ? 'all good' : `failed: ${failed.join(', ')}`}, ${seconds(performance.now() - started)}`,
)
process.exitCode = failed.length === 0 ? 0 : 1
