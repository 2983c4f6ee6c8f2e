/**
 * What a request may hold, as data: each field is declared once, and the same declaration reads a value with a message
 * that names field, value and limit, and describes itself as JSON Schema.
 */

export type JsonSchema = Readonly<Record<string, unknown>>

/** `Out` is what the service gets, `In` what a client may send. */
export interface Field<Out = unknown, In = unknown> {
  /** For the reader of the document. */
  readonly about?: string
  /** `even null`: the name must be there, though null will do. */
  readonly required?: boolean | 'even null'
  /** Minor version: used below it, the request is refused by that name. */
  readonly since?: number
  /** Minor version below which there is no such field. */
  readonly knownSince?: number
  /** Why null is refused; absent: null is as good as no value. */
  readonly refusesNull?: string
  /** Of an argument: the text `None` is a value like any other. */
  readonly takesNone?: boolean
  /** null itself is not named here: `refusesNull` says whether it may be given. */
  schema(minor: number): JsonSchema
  /** `value` is neither null nor undefined. undefined as result: as if it had not been given. */
  read(value: unknown, name: string, minor: number): Out
  /** Never there; carries the type. */
  readonly takes?: In
}

export type Fields = Readonly<Record<string, Field>>

type IsRequired<F> = F extends { readonly required: true } ? true : false

/** What is read. Absent fields are there, as undefined. */
export type Read<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer Out>
    ? IsRequired<F[K]> extends true
      ? Exclude<Out, undefined>
      : Out | undefined
    : never
}

type MustBeGiven<F> = F extends { readonly required: true | 'even null' } ? true : false

type Taken<F> = F extends Field<unknown, infer In> ? In : never

/** What a client may send. */
export type Given<F extends Fields> = {
  readonly [K in keyof F as MustBeGiven<F[K]> extends true ? K : never]: Taken<F[K]>
} & {
  readonly [K in keyof F as MustBeGiven<F[K]> extends true ? never : K]?: Taken<F[K]> | undefined
}

/** What a declaration says beside its kind. */
export type About = Pick<Field, 'about' | 'since' | 'knownSince' | 'refusesNull'>

export function required<Out, In>(field: Field<Out, In>): Field<Out, In> & { readonly required: true } {
  return { ...field, required: true }
}

export function requiredEvenNull<Out, In>(
  field: Field<Out, In>,
): Field<Out, In | null> & { readonly required: 'even null' } {
  const { takes: _, ...rest } = field
  return { ...rest, required: 'even null' }
}

/** The request is not as declared. */
export class FieldError extends Error {
  /** What follows `container.` in the answer. */
  readonly code: string

  constructor(message: string, code = 'schema-validation-error') {
    super(message)
    this.name = 'FieldError'
    this.code = code
  }
}

/** Of a field of a body. */
export function bad(field: string, value: unknown, reason: string): FieldError {
  return new FieldError(`Invalid input for field '${field}'.Value: '${shown(value)}'. ${reason}`)
}

/** Of an argument, which may come in the query or in the body. */
export function badArgument(name: string, value: unknown, reason: string, code?: string): FieldError {
  const message = `Invalid input for query parameters '${name}'. Value: '${shown(value)}'. ${reason}`
  return new FieldError(message, code)
}

export function badHeader(name: string, value: unknown, reason: string): FieldError {
  return new FieldError(`Invalid input for header '${name}'. Value: '${shown(value)}'. ${reason}`)
}

export function missing(field: string): FieldError {
  return new FieldError(`'${field}' is a required property`)
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

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
