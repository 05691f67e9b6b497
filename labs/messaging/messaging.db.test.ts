import { vi } from 'vitest'
import { testPhase } from '../harness/testing.ts'

// A lab starts up to twenty processes, which takes its time where others want the processor as well.
vi.setConfig({ testTimeout: 60_000 })

testPhase(3)
