/**
 * One call of the public API, as data: the server routes by it and reads requests with it, the document is made of it,
 * and the client makes its calls with it.
 */
import { Type, type TNever, type TSchema, type TString } from 'typebox'
import type { Wire } from './schema.ts'
import type { Field, Fields } from '../fields/field.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What an endpoint says when all went well. */
export interface Answer<S extends TSchema = TSchema, N extends number = number> {
  readonly status: N
  /** null: no body. */
  readonly schema: S | null
  /** Minor versions, inclusive, in which the answer has this form. */
  readonly since?: number
  readonly until?: number
  /** With a header `Location`. */
  readonly location?: boolean
  /** Headers that it may have, with what they say. */
  readonly headers?: Readonly<Record<string, string>>
  /** Content type; absent: JSON. */
  readonly type?: string
}

export interface Endpoint<
  A extends Fields = Fields,
  B extends Fields = Fields,
  R extends readonly Answer[] = readonly Answer[],
> {
  /** Also the name of the client's method. */
  readonly id: string
  readonly method: Method
  /**
   * As the router has it: `/v1/containers/:ident/start`; a segment that begins with `:` matches any one segment, `*`
   * at the end the rest.
   */
  readonly path: string
  /** As it is documented, where `*` cannot stand: `/v1/images/{name}/search`. */
  readonly documentedPath?: string
  readonly tag: string
  readonly summary: string
  /** Name of the extension it belongs to; absent: it is upstream's. */
  readonly extension?: string
  /** Minor versions, inclusive. */
  readonly since?: number
  readonly until?: number
  /** Query parameters. Unless the method is GET they may also be fields of the body; the query wins. */
  readonly args: A
  /** Query parameters that are not declared are refused by name; else they are ignored. */
  readonly strict: boolean
  /** Arguments that are only taken from the query. */
  readonly queryOnly?: boolean
  /** Fields of the body, of which unknown ones are refused. */
  readonly body?: B
  /** Headers that mean something to this call only, by their name in small letters; `about` says what. */
  readonly headers?: Readonly<Record<string, Field<string, string>>>
  /** 415 unless the content type is JSON. */
  readonly requiresJson?: boolean
  /** The body is bytes of this content type and of any length, taken as they come; 415 unless it is. */
  readonly streams?: string
  readonly answers: R
  /** Statuses of refusals, beside those that every call can have. */
  readonly errors: readonly number[]
  /** Form of the refusals; absent: the API's list of errors. */
  readonly errorSchema?: TSchema
}

type Declared<A extends Fields, B extends Fields, R extends readonly Answer[], P extends string> = Omit<
  Endpoint<A, B, R>,
  'args' | 'strict' | 'path'
> & { readonly args?: A; readonly strict?: boolean; readonly path: P }

/** Without `args` no parameter means anything; those that come are ignored unless it is `strict`. */
export function endpoint<
  const R extends readonly Answer[],
  const P extends string,
  A extends Fields = {},
  B extends Fields = {},
>(declared: Declared<A, B, R, P>): Endpoint<A, B, R> & { readonly args: A; readonly path: P } {
  const args = declared.args ?? ({} as A)
  return { ...declared, args, strict: declared.strict ?? false }
}

export function answer<S extends TSchema, N extends number>(
  status: N,
  schema: S,
  more: Omit<Answer, 'status' | 'schema'> = {},
): Answer<S, N> {
  return { status, schema, ...more }
}

/** An answer for eyes, beside those for programs. */
export interface TextAnswer extends Answer<TString> {
  readonly type: string
}

export function textAnswer(status: number, type: string): TextAnswer {
  return { status, schema: Type.String(), type }
}

/** 204. */
export const NO_CONTENT: Answer<TSchema, 204> = { status: 204, schema: null }

/** 204 beside an object that could have been answered: it has gone. Clients get undefined where they asked for that. */
export const GONE: Answer<TNever, 204> = { status: 204, schema: null }

/** Type of what an endpoint answers. */
export type Answered<E extends Endpoint> =
  Exclude<E['answers'][number], TextAnswer | Answer<TNever, 204>> extends Answer<infer S>
    ? S extends TSchema
      ? Wire<S>
      : never
    : never

export function isIn(
  { since = 1, until = Infinity }: { readonly since?: number | undefined; readonly until?: number | undefined },
  minor: number,
): boolean {
  return since <= minor && minor <= until
}
