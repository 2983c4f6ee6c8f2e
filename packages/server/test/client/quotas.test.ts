import { quotasTests } from './quotas.ts'
import { clientTests } from './stage.ts'

clientTests('quotas', quotasTests)
