/** `npm run roadmap`: writes docs/roadmap.md and docs/roadmap.es.md. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run.ts'
import { pageOf, pages } from './pages.ts'

for (const lang of ['en', 'es'] as const) writeFileSync(join(root, pages[lang]), pageOf(lang))
