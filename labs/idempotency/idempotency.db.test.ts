import { testPhase } from '../harness/testing.ts'

testPhase(4)
