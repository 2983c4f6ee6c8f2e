/** Checks of single body fields. Every message names the field, the value and the limit. */
import { InvalidInput } from '../domain/errors.ts'

export type Body = Readonly<Record<string, unknown>>

export function bad(field: string, value: unknown, reason: string): InvalidInput {
  return new InvalidInput(
    `Invalid input for field '${field}'.Value: '${shown(value)}'. ${reason}`,
    'schema-validation-error',
  )
}

export function missing(field: string): InvalidInput {
  return new InvalidInput(`'${field}' is a required property`, 'schema-validation-error')
}

/** A value as it may stand in a message: short, whatever it was. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** Names as they may stand in a message, however many and however long they are. */
export function listed(names: readonly string[], quote = ''): string {
  const some = names.slice(0, 10).map((name) => `${quote}${name.length > 64 ? `${name.slice(0, 64)}…` : name}${quote}`)
  return `${some.join(', ')}${names.length > some.length ? ` and ${names.length - some.length} more` : ''}`
}

/** `where`: the path of an object inside of the body. */
export function refuseUnknownFields(body: Body, known: readonly string[], where?: string): void {
  const unknown = Object.keys(body).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  const names = listed(unknown, "'")
  const place = where === undefined ? '' : `in ${where} `
  throw new InvalidInput(
    `Additional properties are not allowed ${place}(${names} ${unknown.length === 1 ? 'was' : 'were'} unexpected)`,
    'schema-validation-error',
  )
}

export interface TextLimits {
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
}

/** null and absent are undefined. */
export function textField(body: Body, name: string, limits: TextLimits = {}): string | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw bad(name, value, 'It is not a string')
  const { min = 0, max = 65_535, pattern } = limits
  if (value.length < min || value.length > max) {
    throw bad(name, value, `Its length must be between ${min} and ${max}`)
  }
  if (value.includes('\0')) throw bad(name, value, 'It must not hold a NUL character')
  if (pattern !== undefined && !pattern.test(value)) throw bad(name, value, `It must match ${pattern.source}`)
  return value
}

/** A number or its text, within limits given in the unit of the field. */
export function numberField(
  body: Body,
  name: string,
  limits: { readonly min: number; readonly max: number; readonly integer: boolean },
): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  const form = limits.integer ? /^[0-9]{1,15}$/ : /^(?=.)[0-9]{0,15}(\.[0-9]{1,15})?$/
  const number = typeof value === 'string' && form.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number) || (limits.integer && !Number.isInteger(number))) {
    throw bad(name, value, limits.integer ? 'It is not a whole number' : 'It is not a number')
  }
  if (number < limits.min) throw bad(name, value, `It is less than the minimum of ${limits.min}`)
  if (number > limits.max) throw bad(name, value, `It is greater than the maximum of ${limits.max}`)
  return number
}

/** JSON true or false, or `True`, `true`, `False`, `false`. */
export function booleanField(body: Body, name: string): boolean | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (value === true || value === 'true' || value === 'True') return true
  if (value === false || value === 'false' || value === 'False') return false
  throw bad(name, value, 'It is not one of True, true, False, false')
}

export function listField(body: Body, name: string): unknown[] | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw bad(name, value, 'It is not a list')
  return value
}

export function stringList(body: Body, name: string): string[] | undefined {
  return listField(body, name)?.map((item) => {
    if (typeof item !== 'string') throw bad(name, item, 'Every item must be a string')
    if (item.includes('\0')) throw bad(name, item, 'It must not hold a NUL character')
    return item
  })
}

export function objectField(body: Body, name: string): Record<string, unknown> | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw bad(name, value, 'It is not an object')
  return value
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
