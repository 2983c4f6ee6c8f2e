/** Small pieces of the schemas of answers. Nothing that a schema does not name may be in an answer. */
import { Type, type Static, type TEnum, type TProperties, type TSchema } from 'typebox'

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** A schema with a name of its own in the document. */
export function named<P extends TProperties>(name: string, properties: P) {
  return Type.Object(properties, { $id: name, additionalProperties: false })
}

export const exact = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false })

export function words<const T extends string>(list: readonly T[], description?: string): TEnum<T[]> {
  return Type.Enum([...list], description === undefined ? {} : { description })
}

/** `YYYY-MM-DD HH:MM:SS.ffffff`, UTC. */
export const SpacedTime = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{6}$' })
/** `YYYY-MM-DDTHH:MM:SS.ffffff`, UTC. */
export const IsoTime = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}$' })
export const Uuid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' })
export const StringMap = Type.Record(Type.String(), Type.String())

export const Link = named('Link', {
  href: Type.String(),
  rel: Type.String(),
  type: Type.Optional(Type.String()),
})

export const Links = Type.Array(Link)

/** A page of a list. `next` is there, and a URL, when the page is full. */
export function page<P extends TProperties>(name: string, items: P) {
  return named(name, { ...items, next: nullable(Type.String()) })
}

/** An answer without anything to say is the JSON value null. */
export const Nothing = Type.Null()

/** The type of what has this schema. Nobody changes an answer. */
export type Wire<S extends TSchema> = DeepReadonly<Static<S>>

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T
