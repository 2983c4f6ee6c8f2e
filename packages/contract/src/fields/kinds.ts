/** Kinds of fields of bodies. */
import { bad, isObject, type About, type Field, type Fields, type Given, type JsonSchema, type Read } from './field.ts'
import { describeFields, readFields } from './read.ts'

export interface TextLimits {
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
}

const LONGEST_TEXT = 65_535

/** `check` gives the reason why a text of the right form is refused all the same. */
export function text(
  limits: TextLimits = {},
  more: About & { readonly check?: (value: string) => string | undefined } = {},
): Field<string, string> {
  const { min = 0, max = LONGEST_TEXT, pattern } = limits
  const { check, ...about } = more
  return {
    ...about,
    schema: () => textSchema(limits),
    read: (value, name) => {
      if (typeof value !== 'string') throw bad(name, value, 'It is not a string')
      if (value.length < min || value.length > max) {
        throw bad(name, value, `Its length must be between ${min} and ${max}`)
      }
      if (value.includes('\0')) throw bad(name, value, 'It must not hold a NUL character')
      if (pattern !== undefined && !pattern.test(value)) throw bad(name, value, `It must match ${pattern.source}`)
      const reason = check?.(value)
      if (reason !== undefined) throw bad(name, value, reason)
      return value
    },
  }
}

export function textSchema({ min = 0, max = LONGEST_TEXT, pattern }: TextLimits): JsonSchema {
  return {
    type: 'string',
    ...(min > 0 ? { minLength: min } : {}),
    ...(max === LONGEST_TEXT ? {} : { maxLength: max }),
    ...(pattern === undefined ? {} : { pattern: pattern.source }),
  }
}

export interface NumberLimits {
  readonly min: number
  readonly max: number
  readonly integer: boolean
}

/** A number or its text, within limits given in the unit of the field. */
export function number(limits: NumberLimits, about: About = {}): Field<number, number | string> {
  const { min, max, integer } = limits
  const form = integer ? /^[0-9]{1,15}$/ : /^(?=.)[0-9]{0,15}(\.[0-9]{1,15})?$/
  return {
    ...about,
    schema: () => ({
      anyOf: [
        { type: integer ? 'integer' : 'number', minimum: min, maximum: max },
        { type: 'string', pattern: form.source, description: `The same as text: from ${min} to ${max}.` },
      ],
    }),
    read: (value, name) => {
      const read = typeof value === 'string' && form.test(value) ? Number(value) : value
      if (typeof read !== 'number' || !Number.isFinite(read) || (integer && !Number.isInteger(read))) {
        throw bad(name, value, integer ? 'It is not a whole number' : 'It is not a number')
      }
      if (read < min) throw bad(name, value, `It is less than the minimum of ${min}`)
      if (read > max) throw bad(name, value, `It is greater than the maximum of ${max}`)
      return read
    },
  }
}

/** JSON true or false, or `True`, `true`, `False`, `false`. */
export function flag(about: About = {}): Field<boolean, boolean | 'True' | 'true' | 'False' | 'false'> {
  return {
    ...about,
    schema: () => ({ enum: [true, false, 'True', 'true', 'False', 'false'] }),
    read: (value, name) => {
      if (value === true || value === 'true' || value === 'True') return true
      if (value === false || value === 'false' || value === 'False') return false
      throw bad(name, value, 'It is not one of True, true, False, false')
    },
  }
}

/** JSON true or false and nothing else. */
export function jsonBoolean(about: About = {}): Field<boolean, boolean> {
  return {
    ...about,
    schema: () => ({ type: 'boolean' }),
    read: (value, name) => {
      if (typeof value !== 'boolean') throw bad(name, value, 'It is not a boolean')
      return value
    },
  }
}

/** One of some words. */
export function choice<const T extends string>(words: readonly T[], about: About = {}): Field<T, T> {
  return {
    ...about,
    schema: () => ({ type: 'string', enum: [...words] }),
    read: (value, name) => {
      const found = words.find((word) => word === value)
      if (found === undefined) throw bad(name, value, `It is not one of ${words.join(', ')}`)
      return found
    },
  }
}

export function strings(about: About = {}): Field<string[], readonly string[]> {
  return {
    ...about,
    schema: () => ({ type: 'array', items: { type: 'string' } }),
    read: (value, name) =>
      list(value, name).map((item) => {
        if (typeof item !== 'string') throw bad(name, item, 'Every item must be a string')
        if (item.includes('\0')) throw bad(name, item, 'It must not hold a NUL character')
        return item
      }),
  }
}

/** Texts with limits of their own. */
export function texts(limits: TextLimits, about: About = {}): Field<string[], readonly string[]> {
  const all = strings()
  const one = text(limits)
  return {
    ...about,
    schema: () => ({ type: 'array', items: textSchema(limits) }),
    read: (value, name, minor) => {
      const items = all.read(value, name, minor)
      for (const item of items) one.read(item, name, minor)
      return items
    },
  }
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw bad(name, value, 'It is not a list')
  return value
}

/** A list of objects, each with the same fields. */
export function objects<F extends Fields>(
  fields: F,
  more: About & {
    readonly most: number
    readonly check?: (given: Readonly<Record<string, unknown>>) => string | undefined
  },
): Field<Read<F>[], readonly Given<F>[]> {
  const { most, check, ...about } = more
  return {
    ...about,
    schema: (minor) => ({ type: 'array', maxItems: most, items: describeFields(fields, minor) }),
    read: (value, name, minor) => {
      const items = list(value, name)
      if (items.length > most) throw bad(name, items.length, `There must be at most ${most}`)
      return items.map((item) => {
        if (!isObject(item)) throw bad(name, item, 'Every item must be an object')
        const reason = check?.(item)
        if (reason !== undefined) throw bad(name, item, reason)
        return readFields(fields, item, minor)
      })
    },
  }
}

/** An object with fields of its own. An empty one is undefined if `emptyIsNone`. */
export function object<F extends Fields>(
  fields: F,
  more: About & { readonly emptyIsNone?: boolean } = {},
): Field<Read<F> | undefined, Given<F>> {
  const { emptyIsNone = false, ...about } = more
  return {
    ...about,
    schema: (minor) => describeFields(fields, minor),
    read: (value, name, minor) => {
      if (!isObject(value)) throw bad(name, value, 'It is not an object')
      return emptyIsNone && Object.keys(value).length === 0 ? undefined : readFields(fields, value, minor)
    },
  }
}

/** An object with names of the user's own. `entry` reads one of them, and throws if it does not like it. */
export function map<Out, In>(
  values: JsonSchema,
  entry: (key: string, value: unknown, name: string) => readonly [key: string, value: Out],
  about: About = {},
): Field<Record<string, Out>, Readonly<Record<string, In>>> {
  return {
    ...about,
    schema: () => ({ type: 'object', additionalProperties: values }),
    read: (value, name) => {
      if (!isObject(value)) throw bad(name, value, 'It is not an object')
      return Object.fromEntries(Object.entries(value).map(([key, one]) => entry(key, one, name)))
    },
  }
}

/** Any object at all. */
export function anyObject(about: About = {}): Field<Record<string, unknown>, Readonly<Record<string, unknown>>> {
  return map({}, (key, value) => [key, value], about)
}
