/** What each of the four letters is: something that is tried with its guarantee and without. */
import type { Stage } from '../harness/stage.ts'

export type AcidStage = Stage<'commits'>

export interface LetterFound {
  /** How often the guarantee was broken. */
  readonly broken: number
  /** Whether what should go through did: a guarantee that is kept by doing nothing is none. */
  readonly works: boolean
}

/** @param kept with the guarantee, or without */
export type Letter = (stage: AcidStage, kept: boolean) => Promise<LetterFound>
