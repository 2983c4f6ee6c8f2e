import { terminalsTests } from './terminals.ts'
import { clientTests } from './stage.ts'

clientTests('terminals', terminalsTests)
