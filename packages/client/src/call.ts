/** How one call of the contract is made, and what types it has. */
import type { Answered, Endpoint } from '@zund/contract/api/endpoint.ts'
import type { Fields, Given } from '@zund/contract/fields/field.ts'

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Of a create: sent again with the same, it makes nothing more. */
  readonly idempotencyKey?: string
}

/** Names of the parts of a path that begin with `:`; `*` at its end is called `name`. */
type Parameters<P extends string> = string extends P
  ? never
  : P extends `${string}:${infer Name}/${infer Rest}`
    ? Name | Parameters<`/${Rest}`>
    : P extends `${string}:${infer Name}`
      ? Name
      : P extends `${string}*`
        ? 'name'
        : never

type FieldsOf<F> = F extends Fields ? Given<F> : never
type Part<K extends string, T> = keyof T extends never
  ? unknown
  : Partial<T> extends T
    ? { readonly [N in K]?: T }
    : { readonly [N in K]: T }

/** What a method takes: parts of the path by name, `query` for arguments, `body` for the fields of the body. */
export type Input<E extends Endpoint> = { readonly [N in Parameters<E['path']>]: string } & Part<
  'query',
  FieldsOf<E['args']>
> &
  Part<'body', FieldsOf<NonNullable<E['body']>>>

/** undefined where the service answers without a body. */
export type Output<E extends Endpoint> = E['answers'][number]['status'] extends 204 ? undefined : Answered<E>

export type Method<E extends Endpoint> =
  Partial<Input<E>> extends Input<E>
    ? (input?: Input<E>, o?: CallOptions) => Promise<Output<E>>
    : (input: Input<E>, o?: CallOptions) => Promise<Output<E>>

export interface AnyInput {
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: Readonly<Record<string, unknown>>
  readonly [parameter: string]: unknown
}

export interface HttpRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly body: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** Throws a TypeError when a part of the path is missing: the types forbid it, but not everybody uses them. */
export function requestOf(endpoint: Endpoint, input: AnyInput): HttpRequest {
  const { method, queryOnly = false, body: fields } = endpoint
  const path = (endpoint.documentedPath ?? endpoint.path.replaceAll(/:(\w+)/g, '{$1}')).replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => segment(endpoint.id, name, input[name]),
  )
  // Long arguments do not fit into a query; a DELETE has no body, and one that is declared has no room for others.
  const inBody = !queryOnly && fields === undefined && method !== 'GET' && method !== 'DELETE'
  const args = Object.entries(input.query ?? {}).filter(([, value]) => value !== undefined)
  const query = inBody ? '' : queryOf(args)
  const body = inBody ? Object.fromEntries(args) : (input.body ?? {})
  const hasBody = inBody ? args.length > 0 : fields !== undefined
  return { method, path: `${path}${query}`, body: hasBody ? JSON.stringify(body) : undefined }
}

function segment(id: string, name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${id} needs '${name}', a text that is not empty`)
  return encodeURIComponent(value)
}

function queryOf(args: readonly (readonly [name: string, value: unknown])[]): string {
  const query = new URLSearchParams()
  for (const [name, value] of args) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  return query.size === 0 ? '' : `?${query.toString()}`
}
