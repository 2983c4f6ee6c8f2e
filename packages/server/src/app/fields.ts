/**
 * Reading of requests as the contract declares them. Every message names the field, the value and the limit; what is
 * refused is an InvalidInput.
 */
import * as declared from '@zund/contract/fields/field.ts'
import type { Field, Fields, Read } from '@zund/contract/fields/field.ts'
import { flag, number, text, type NumberLimits, type TextLimits } from '@zund/contract/fields/kinds.ts'
import * as reading from '@zund/contract/fields/read.ts'
import { InvalidInput } from '../domain/errors.ts'

export { isObject, listed, shown } from '@zund/contract/fields/field.ts'
export type { TextLimits } from '@zund/contract/fields/kinds.ts'

export type Body = Readonly<Record<string, unknown>>

/** A body, or an object in it. */
export function readFields<F extends Fields>(fields: F, body: Body, minor: number): Read<F> {
  return refusing(() => reading.readFields(fields, body, minor))
}

/** Arguments, from query and body. */
export function readArguments<F extends Fields>(fields: F, args: Body, minor: number): Read<F> {
  return refusing(() => reading.readArguments(fields, args, minor))
}

export function bad(field: string, value: unknown, reason: string): InvalidInput {
  return refusal(declared.bad(field, value, reason))
}

export function badArgument(name: string, value: unknown, reason: string): InvalidInput {
  return refusal(declared.badArgument(name, value, reason))
}

export function missing(field: string): InvalidInput {
  return refusal(declared.missing(field))
}

/** `where`: the path of an object inside of the body. */
export function refuseUnknownFields(body: Body, known: readonly string[], where?: string): void {
  refusing(() => reading.refuseUnknownFields(body, known, where))
}

/** null and absent are undefined. */
export function textField(body: Body, name: string, limits: TextLimits = {}): string | undefined {
  return single(text(limits), body, name)
}

/** A number or its text, within limits given in the unit of the field. */
export function numberField(body: Body, name: string, limits: NumberLimits): number | undefined {
  return single(number(limits), body, name)
}

/** JSON true or false, or `True`, `true`, `False`, `false`. */
export function booleanField(body: Body, name: string): boolean | undefined {
  return single(flag(), body, name)
}

/** A header that an endpoint declares. */
export function readHeader(field: Field<string>, value: unknown, name: string, minor: number): string {
  return refusing(() => field.read(value, name, minor))
}

function single<Out>(field: Field<Out>, body: Body, name: string): Out | undefined {
  const value = body[name]
  return value === undefined || value === null ? undefined : refusing(() => field.read(value, name, Infinity))
}

function refusing<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof declared.FieldError ? refusal(error) : error
  }
}

function refusal({ message, code }: declared.FieldError): InvalidInput {
  return new InvalidInput(message, code)
}
