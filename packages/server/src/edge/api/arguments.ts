/** Reading request parameters: booleans in all their spellings, numbers as text, Python's `None`. */
import { shown } from '../../app/fields.ts'
import { InvalidInput } from '../../domain/errors.ts'

/** `None` as text and JSON null mean absent. */
export function present(value: unknown): unknown {
  return value === null || value === 'None' ? undefined : value
}

const SCHEMA_CODE = 'schema-validation-error'

export function queryError(name: string, value: unknown, reason: string, code = SCHEMA_CODE): InvalidInput {
  return new InvalidInput(`Invalid input for query parameters '${name}'. Value: '${shown(value)}'. ${reason}`, code)
}

export function fieldError(name: string, value: unknown, reason: string): InvalidInput {
  return new InvalidInput(
    `Invalid input for field '${name}'.Value: '${shown(value)}'. ${reason}`,
    'schema-validation-error',
  )
}

const WIDE_TRUE = ['true', 'True', 'TRUE', '1', 'on', 'On', 'ON', 'yes', 'Yes', 'YES']
const WIDE_FALSE = ['false', 'False', 'FALSE', '0', 'off', 'Off', 'OFF', 'no', 'No', 'NO']

/** The wide set of api-conventions 8. */
export function wideBoolean(args: Readonly<Record<string, unknown>>, name: string, fallback: boolean): boolean {
  const value = present(args[name])
  if (value === undefined) return fallback
  if (typeof value === 'boolean') return value
  if (value === 1 || WIDE_TRUE.includes(value as string)) return true
  if (value === 0 || WIDE_FALSE.includes(value as string)) return false
  throw queryError(name, value, `It is not one of ${[...WIDE_TRUE, ...WIDE_FALSE].join(', ')}`)
}

export function narrowBoolean(args: Readonly<Record<string, unknown>>, name: string, fallback: boolean): boolean {
  const value = present(args[name])
  if (value === undefined) return fallback
  if (value === true || value === 'true' || value === 'True') return true
  if (value === false || value === 'false' || value === 'False') return false
  throw queryError(name, value, 'It is not one of True, true, False, false')
}

/** `all_projects`: every usual spelling, empty is false. `code` is that of the refusal. */
export function allProjects(args: Readonly<Record<string, unknown>>, code = SCHEMA_CODE): boolean {
  const value = present(args['all_projects'])
  return value !== undefined && value !== '' && anyBoolean('all_projects', value, code)
}

/** Every usual spelling, in any case. */
export function anyBoolean(name: string, value: unknown, code = SCHEMA_CODE): boolean {
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).toLowerCase()
  if (['1', 't', 'true', 'on', 'y', 'yes'].includes(text)) return true
  if (['0', 'f', 'false', 'off', 'n', 'no'].includes(text)) return false
  throw queryError(name, value, 'It is not a boolean', code)
}

/** Text or undefined. */
export function optionalText(
  args: Readonly<Record<string, unknown>>,
  name: string,
  limits: { min?: number; max?: number; pattern?: RegExp } = {},
): string | undefined {
  const value = present(args[name])
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw queryError(name, value, 'It is not a string')
  const { min = 0, max = 65_535, pattern } = limits
  if (value.length < min || value.length > max) {
    throw queryError(name, value, `Its length is not between ${min} and ${max}`)
  }
  if (pattern !== undefined && !pattern.test(value))
    throw queryError(name, value, `It does not match ${pattern.source}`)
  return value
}

export function requiredText(
  args: Readonly<Record<string, unknown>>,
  name: string,
  limits: { min?: number; max?: number; pattern?: RegExp } = {},
): string {
  const value = optionalText(args, name, { min: 1, ...limits })
  if (value === undefined) throw new InvalidInput(`'${name}' is a required property`, 'schema-validation-error')
  return value
}

/** A whole number, also as text; empty text is absent. */
export function wholeNumber(
  args: Readonly<Record<string, unknown>>,
  name: string,
  limits: { min: number; max: number },
): number | undefined {
  const value = present(args[name])
  if (value === undefined || value === '') return undefined
  const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) throw queryError(name, value, 'It is not a whole number')
  if (number < limits.min || number > limits.max) {
    throw queryError(name, value, `It is not between ${limits.min} and ${limits.max}`)
  }
  return number
}

export function requiredWholeNumber(
  args: Readonly<Record<string, unknown>>,
  name: string,
  limits: { min: number; max: number },
): number {
  const value = wholeNumber(args, name, limits)
  if (value === undefined) throw new InvalidInput(`'${name}' is a required property`, 'schema-validation-error')
  return value
}
