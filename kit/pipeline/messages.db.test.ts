import { describeMessages } from './testing-messages.ts'

describeMessages('postgres')
