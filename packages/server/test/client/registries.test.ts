import { registriesTests } from './registries.ts'
import { clientTests } from './stage.ts'

clientTests('registries', registriesTests)
