/** The roadmap to serious architecture, whole: nine phases, the path through them, and where each entry lives here. */
import type { RoadmapSection } from '../contract.ts'
import { path } from './path.ts'
import { phases0to4 } from './phases-0-to-4.ts'
import { phases5to8 } from './phases-5-to-8.ts'

export const roadmap: readonly RoadmapSection[] = [...phases0to4, ...phases5to8, ...path]
