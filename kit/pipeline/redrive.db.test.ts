import { describeRedrive } from './testing-redrive.ts'

describeRedrive('postgres')
