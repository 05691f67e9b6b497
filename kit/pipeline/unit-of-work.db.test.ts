import { describeTransactions } from './testing-transactions.ts'

describeTransactions('postgres')
