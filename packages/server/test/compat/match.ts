/** Compares what was answered with what is expected. */
import { isDeepStrictEqual } from 'node:util'
import type { Shapes } from './format.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const isText = (value: unknown): value is string => typeof value === 'string'
const textLike =
  (form: RegExp) =>
  (value: unknown): boolean =>
    isText(value) && form.test(value)

const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  any: () => true,
  text: isText,
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  list: Array.isArray,
  object: isObject,
  uuid: textLike(UUID),
  digits: textLike(/^\d+$/),
  /** As containers and capsules have it. */
  time: textLike(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?$/),
  /** As actions, events and services have it. */
  'iso time': textLike(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
}

/** Sentences about what is not as expected; none when all is. `at` names the place. */
export function mismatches(expected: unknown, actual: unknown, at: string, shapes: Shapes): string[] {
  if (isText(expected)) return textMismatch(expected, actual, at)
  if (isObject(expected)) {
    if (Object.hasOwn(expected, EACH)) return eachMismatch(expected[EACH], actual, at, shapes)
    return objectMismatch(shaped(expected, shapes), actual, at, shapes)
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return [wrong(at, expected, actual)]
    return expected.flatMap((item, i) => mismatches(item, actual[i], `${at}[${i}]`, shapes))
  }
  return isDeepStrictEqual(expected, actual) ? [] : [wrong(at, expected, actual)]
}

/** A list of any length whose items are all like this. */
const EACH = '<each>'
/** A shape that the other fields add to, or replace fields of. */
const LIKE = '<like>'
/** Fields that are not named may be there. */
const MORE = '<more>'

function shaped(expected: Record<string, unknown>, shapes: Shapes): Record<string, unknown> {
  const { [LIKE]: name, ...own } = expected
  if (name === undefined) return expected
  const shape = isText(name) ? shapes[name] : undefined
  if (!isObject(shape)) throw new Error(`there is no shape ${JSON.stringify(name)}`)
  return { ...shaped(shape, shapes), ...own }
}

function objectMismatch(expected: Record<string, unknown>, actual: unknown, at: string, shapes: Shapes): string[] {
  if (!isObject(actual)) return [wrong(at, expected, actual)]
  const { [MORE]: mayHaveMore = false, ...fields } = expected
  const extra = Object.keys(actual).filter((name) => !Object.hasOwn(fields, name))
  return [
    ...(extra.length > 0 && mayHaveMore === false ? [`${at} has also ${extra.join(', ')}`] : []),
    ...Object.entries(fields).flatMap(([name, value]) =>
      Object.hasOwn(actual, name) ? mismatches(value, actual[name], `${at}.${name}`, shapes) : [`${at} has no ${name}`],
    ),
  ]
}

function eachMismatch(expected: unknown, actual: unknown, at: string, shapes: Shapes): string[] {
  if (!Array.isArray(actual)) return [`${at} is no list: ${JSON.stringify(actual)}`]
  return actual.flatMap((item, i) => mismatches(expected, item, `${at}[${i}]`, shapes))
}

/** `<uuid>`, `<text or null>`, `/a regular expression/`, or the very text. */
function textMismatch(expected: string, actual: unknown, at: string): string[] {
  const [, kinds] = /^<([a-z ]+)>$/.exec(expected) ?? []
  if (kinds !== undefined) {
    const fits = kinds.split(' or ').some((kind) => {
      const is = KINDS[kind]
      if (is === undefined) throw new Error(`there is no <${kind}>`)
      return is(actual)
    })
    return fits ? [] : [wrong(at, expected, actual)]
  }
  const [, pattern] = /^\/(.*)\/$/s.exec(expected) ?? []
  const fits = pattern === undefined ? actual === expected : isText(actual) && new RegExp(pattern).test(actual)
  return fits ? [] : [wrong(at, expected, actual)]
}

function wrong(at: string, expected: unknown, actual: unknown): string {
  return `${at} should be ${JSON.stringify(expected)} and is ${JSON.stringify(actual)}`
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
