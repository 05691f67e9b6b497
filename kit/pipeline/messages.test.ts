import { describeMessages } from './testing-messages.ts'

describeMessages('memory')
