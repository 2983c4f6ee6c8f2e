import { FieldError, listed, missing, bad, type Field, type Fields, type JsonSchema, type Read } from './field.ts'

type Given = Readonly<Record<string, unknown>>

/** The fields of an object of a body. Those it does not declare are refused by name. */
export function readFields<F extends Fields>(fields: F, given: Given, minor: number): Read<F> {
  const known = Object.keys(fields).filter((name) => isKnown(fields[name], minor))
  refuseUnknownFields(given, known)
  return readEach(
    fields,
    known,
    (name, field) => {
      const value = given[name]
      if (value === undefined && field.required === 'even null') throw missing(name)
      if (value === null && field.refusesNull !== undefined) throw bad(name, null, field.refusesNull)
      return value ?? undefined
    },
    minor,
  )
}

/** Arguments of a call, whether in the query or in the body. The text `None` means absent; others are not looked at. */
export function readArguments<F extends Fields>(fields: F, given: Given, minor: number): Read<F> {
  const known = Object.keys(fields).filter((name) => isKnown(fields[name], minor))
  const valueOf = (name: string, { takesNone }: Field): unknown =>
    takesNone === true ? (given[name] ?? undefined) : presentArgument(given[name])
  return readEach(fields, known, valueOf, minor)
}

/** `None` as text and JSON null mean absent. */
export function presentArgument(value: unknown): unknown {
  return value === null || value === 'None' ? undefined : value
}

function readEach<F extends Fields>(
  fields: F,
  known: readonly string[],
  valueOf: (name: string, field: Field) => unknown,
  minor: number,
): Read<F> {
  const read: Record<string, unknown> = {}
  for (const name of known) {
    const field = fields[name]
    if (field === undefined) continue
    const value = valueOf(name, field)
    const result = value === undefined ? undefined : field.read(value, name, minor)
    if (result === undefined && field.required === true) throw missing(name)
    if (result !== undefined && !isEmpty(result)) requireMinor(name, minor, field.since ?? 1)
    read[name] = result
  }
  return read as Read<F>
}

function isKnown(field: Field | undefined, minor: number): boolean {
  return (field?.knownSince ?? 1) <= minor
}

/** An empty list or object asks for nothing; clients send it to any version. */
function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function requireMinor(name: string, minor: number, since: number): void {
  if (minor >= since) return
  throw new FieldError(
    `Invalid param ${name} because current request version is 1.${minor}. ${name} is only supported from version 1.${since}.`,
    'invalid-param-in-version',
  )
}

/** `where`: the path of an object inside of the body. */
export function refuseUnknownFields(given: Given, known: readonly string[], where?: string): void {
  const unknown = Object.keys(given).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  const names = listed(unknown, "'")
  const place = where === undefined ? '' : `in ${where} `
  throw new FieldError(
    `Additional properties are not allowed ${place}(${names} ${unknown.length === 1 ? 'was' : 'were'} unexpected)`,
  )
}

/** The object as JSON Schema, with what may be used in this version. */
export function describeFields(fields: Fields, minor: number): JsonSchema {
  const usable = usableFields(fields, minor)
  const needed = usable.filter(([, field]) => field.required !== undefined).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(usable.map(([name, field]) => [name, describeField(field, minor)])),
    ...(needed.length === 0 ? {} : { required: needed }),
    additionalProperties: false,
  }
}

export function usableFields(fields: Fields, minor: number): [name: string, field: Field][] {
  return Object.entries(fields).filter(([, field]) => Math.max(field.knownSince ?? 1, field.since ?? 1) <= minor)
}

/** One field, with null where that may be given. */
export function describeField(field: Field, minor: number): JsonSchema {
  const schema = field.schema(minor)
  const about = field.about === undefined ? {} : { description: field.about }
  if (field.required === true || field.refusesNull !== undefined) return { ...schema, ...about }
  return { ...orNull(schema), ...about }
}

function orNull(schema: JsonSchema): JsonSchema {
  const { anyOf, type } = schema
  if (Array.isArray(anyOf)) return { ...schema, anyOf: [...anyOf, { type: 'null' }] }
  if (typeof type === 'string' && schema['enum'] === undefined) return { ...schema, type: [type, 'null'] }
  return { anyOf: [schema, { type: 'null' }] }
}
