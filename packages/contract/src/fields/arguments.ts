/** Kinds of arguments: what comes in a query, as text, or under the same name in a body. */
import { badArgument, type About, type Field } from './field.ts'
import { textSchema, type TextLimits } from './kinds.ts'

export function textArgument(limits: TextLimits = {}, about: About = {}): Field<string, string> {
  const { min = 0, max = 65_535, pattern } = limits
  return {
    ...about,
    schema: () => textSchema(limits),
    read: (value, name) => {
      if (typeof value !== 'string') throw badArgument(name, value, 'It is not a string')
      if (value.length < min || value.length > max) {
        throw badArgument(name, value, `Its length is not between ${min} and ${max}`)
      }
      if (pattern !== undefined && !pattern.test(value)) {
        throw badArgument(name, value, `It does not match ${pattern.source}`)
      }
      return value
    },
  }
}

/** A whole number, also as text; empty text is absent. */
export function wholeArgument(
  limits: { readonly min: number; readonly max: number },
  about: About = {},
): Field<number | undefined, number | string> {
  const { min, max } = limits
  return {
    ...about,
    schema: () => ({ type: ['integer', 'string'], minimum: min, maximum: max, pattern: '^[0-9]{0,15}$' }),
    read: (value, name) => {
      if (value === '') return undefined
      const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value
      if (typeof number !== 'number' || !Number.isInteger(number)) {
        throw badArgument(name, value, 'It is not a whole number')
      }
      if (number < min || number > max) throw badArgument(name, value, `It is not between ${min} and ${max}`)
      return number
    },
  }
}

const WIDE_TRUE: readonly unknown[] = ['true', 'True', 'TRUE', '1', 'on', 'On', 'ON', 'yes', 'Yes', 'YES']
const WIDE_FALSE: readonly unknown[] = ['false', 'False', 'FALSE', '0', 'off', 'Off', 'OFF', 'no', 'No', 'NO']

/** A boolean in many spellings. */
export function wideArgument(about: About = {}): Field<boolean, boolean> {
  return {
    ...about,
    schema: () => ({ enum: [true, false, 1, 0, ...WIDE_TRUE, ...WIDE_FALSE] }),
    read: (value, name) => {
      if (typeof value === 'boolean') return value
      if (value === 1 || WIDE_TRUE.includes(value)) return true
      if (value === 0 || WIDE_FALSE.includes(value)) return false
      throw badArgument(name, value, `It is not one of ${[...WIDE_TRUE, ...WIDE_FALSE].join(', ')}`)
    },
  }
}

/** A boolean in few. */
export function narrowArgument(about: About = {}): Field<boolean, boolean> {
  return {
    ...about,
    schema: () => ({ enum: [true, false, 'True', 'true', 'False', 'false'] }),
    read: (value, name) => {
      if (value === true || value === 'true' || value === 'True') return true
      if (value === false || value === 'false' || value === 'False') return false
      throw badArgument(name, value, 'It is not one of True, true, False, false')
    },
  }
}

const ANY_TRUE = ['1', 't', 'true', 'on', 'y', 'yes']
const ANY_FALSE = ['0', 'f', 'false', 'off', 'n', 'no']

/** Patterns have no way to say "in any case of letters". */
const ANY_PATTERN = `^(?:${[...ANY_TRUE, ...ANY_FALSE]
  .join('|')
  .replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)})?$`

/** A boolean in every usual spelling, in any case; given twice, the last one counts. Empty is absent. */
export function anyArgument(about: About & { readonly code?: string } = {}): Field<boolean | undefined, boolean> {
  const { code, ...rest } = about
  return {
    ...rest,
    schema: () => ({
      anyOf: [{ type: 'boolean' }, { enum: [0, 1] }, { type: 'string', pattern: ANY_PATTERN }],
    }),
    read: (value, name) => (value === '' ? undefined : anyBoolean(name, value, code)),
  }
}

export function anyBoolean(name: string, value: unknown, code?: string): boolean {
  const text = (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toLowerCase()
  if (ANY_TRUE.includes(text)) return true
  if (ANY_FALSE.includes(text)) return false
  throw badArgument(name, value, 'It is not a boolean', code)
}

/** A filter of a list: given several times, any of the values fits. */
export function filterArgument(about: About = {}): Field<readonly string[], string | readonly string[]> {
  return {
    ...about,
    takesNone: true,
    schema: () => ({ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }),
    read: (value, name) =>
      [value].flat().map((one) => {
        if (typeof one !== 'string') throw badArgument(name, one, 'It is not a string')
        return one
      }),
  }
}

/** Taken so that old clients can go on sending it. */
export function ignoredArgument(): Field<undefined, string> {
  return { about: 'Taken, and without effect.', schema: () => ({}), read: () => undefined }
}

/** Values with commas between them; given several times, all count. `one` reads one of them, or says why not. */
export function listArgument<T extends string>(
  limits: { readonly max: number; readonly pattern: string },
  one: (text: string) => { readonly value: T } | { readonly bad: string },
  about: About = {},
): Field<readonly T[] | undefined, string | readonly string[]> {
  const text = { type: 'string', pattern: `^(?:${limits.pattern}(?:,${limits.pattern})*)?$` }
  return {
    ...about,
    takesNone: true,
    schema: () => ({ anyOf: [text, { type: 'array', items: text }] }),
    read: (value, name) => {
      const texts = [value].flat().flatMap((part) => {
        if (typeof part !== 'string') throw badArgument(name, part, 'It is not a string')
        return part === '' ? [] : part.split(',')
      })
      if (texts.length > limits.max) throw badArgument(name, value, `It names more than ${limits.max}`)
      const read = texts.map((part) => {
        const made = one(part)
        if ('bad' in made) throw badArgument(name, part, made.bad)
        return made.value
      })
      return read.length === 0 ? undefined : [...new Set(read)]
    },
  }
}

/** Of a list of words, in any case of letters; read as they are written there. */
export function wordsArgument<const T extends string>(words: readonly T[], about: About = {}) {
  const inAnyCase = words
    .join('|')
    .replaceAll(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`)
  return listArgument(
    { max: 100, pattern: `(?:${inAnyCase})` },
    (text) => {
      const value = words.find((word) => word.toLowerCase() === text.toLowerCase())
      return value === undefined ? { bad: `It is not one of ${words.join(', ')}` } : { value }
    },
    about,
  )
}
