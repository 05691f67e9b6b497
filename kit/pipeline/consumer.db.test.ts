import { describeConsumer } from './testing-consumer.ts'

describeConsumer('postgres')
