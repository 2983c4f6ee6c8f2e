import { lookingTests } from './looking.ts'
import { clientTests } from './stage.ts'

clientTests('looking', lookingTests)
