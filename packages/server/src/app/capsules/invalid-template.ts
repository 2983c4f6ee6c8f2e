import { InvalidInput } from '../../domain/errors.ts'
import { shown } from '../fields.ts'

/** Every value by itself may be as it is, but not in this template. */
export function invalidTemplate(path: string, value: unknown, reason: string): InvalidInput {
  return new InvalidInput(
    `Invalid input for field '${path}'.Value: '${shown(value)}'. ${reason}`,
    'invalid-capsule-template',
  )
}
