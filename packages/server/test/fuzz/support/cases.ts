/** Requests at one route, right but for one thing. */
import fc from 'fast-check'
import { USERS, type User } from '../../support/sim-machine.ts'
import {
  oddAccept,
  oddContentType,
  oddPayload,
  oddSegment,
  oddText,
  oddToken,
  oddValue,
  oddVersion,
} from './oddities.ts'
import { bodyFields, filled, neededFields, queryFields } from './plausible.ts'

/** A route as the server has it registered. */
export interface Target {
  readonly method: string
  /** Segments that begin with `:` stand for anything, `*` for the rest. */
  readonly path: string
  readonly query: readonly string[] | undefined
}

export interface Case {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Buffer | undefined
  /** Whose token it is; undefined: an odd one, or none. */
  readonly user: User | undefined
  /** Field of the query or the body that is odd, when it is one. */
  readonly field: string | undefined
}

interface Draft {
  readonly segments: readonly string[]
  readonly query: readonly (readonly [string, string])[]
  readonly rawQuery?: string
  readonly body: Record<string, unknown>
  readonly rawBody?: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly user: User | undefined
  readonly field?: string
}

type Change = (draft: Draft) => Draft

const none: Change = (draft) => draft

/** `identsOf` gives what may stand for `:part` in this path: names and uuids of objects, mostly of the right kind. */
export function casesAt(
  target: Target,
  identsOf: (path: string, part: string) => readonly string[],
): fc.Arbitrary<Case> {
  const route = `${target.method} ${target.path}`
  const hasBody = target.method !== 'GET' && target.method !== 'HEAD' && target.method !== 'DELETE'
  const names = queryFields(route, target.query)
  const fields = [...bodyFields(route, target.query), 'unheard_of']
  const needed = neededFields(route)
  const inQuery = needed.filter((name) => !hasBody || (target.query ?? []).includes(name))
  return fc
    .record({
      segments: segmentsOf(target.path, identsOf),
      query: filled(route, names, inQuery),
      // An empty body is what clients send with most actions.
      body: hasBody
        ? filled(
            route,
            fields,
            needed.filter((name) => !inQuery.includes(name)),
          )
        : fc.constant({}),
      keepsBody: hasBody && needed.length === inQuery.length ? fc.boolean() : fc.constant(true),
      minor: fc.integer({ min: 1, max: 40 }),
      user: fc.constantFrom<User>('alice', 'alice', 'alice', 'admin', ...USERS),
      changes: fc.array(changeOf(target, names, fields), { minLength: 1, maxLength: 2 }),
    })
    .map(({ segments, query, body, keepsBody, minor, user, changes }) => {
      const draft: Draft = {
        segments,
        query: Object.entries(query).map(([name, value]) => [name, textOf(value)] as const),
        body: keepsBody ? body : {},
        headers: { 'openstack-api-version': `container 1.${minor}`, 'content-type': 'application/json' },
        user,
      }
      return built(
        target.method,
        changes.reduce((now, change) => change(now), draft),
      )
    })
}

function segmentsOf(path: string, identsOf: (path: string, part: string) => readonly string[]): fc.Arbitrary<string[]> {
  const parts = path.split('/').slice(1)
  return fc.tuple(
    ...parts.map((part) => {
      if (part === '*')
        return fc.constantFrom('busybox/search', 'a/b/search', 'docker.io%2Flibrary%2Fbusybox/search', 'x')
      return part.startsWith(':') ? fc.constantFrom(...identsOf(path, part)) : fc.constant(part)
    }),
  )
}

function changeOf(target: Target, names: readonly string[], fields: readonly string[]): fc.Arbitrary<Change> {
  const header = (name: string, values: fc.Arbitrary<string>): fc.Arbitrary<Change> =>
    values.map((value) => (draft) => ({ ...draft, headers: { ...draft.headers, [name]: value } }))
  const body = fc
    .tuple(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...fields) }, { weight: 1, arbitrary: oddText }), oddValue)
    .map(
      ([field, value]): Change =>
        (draft) => ({ ...draft, field, body: { ...draft.body, ...own(field, value) } }),
    )
  const inside = fc.tuple(fc.nat(), fc.nat(), oddValue, oddText).map(
    ([at, key, value, text]): Change =>
      (draft) => {
        const field = Object.keys(draft.body)[at % Math.max(1, Object.keys(draft.body).length)]
        if (field === undefined) return draft
        return { ...draft, field, body: { ...draft.body, ...own(field, spoiled(draft.body[field], key, value, text)) } }
      },
  )
  const query = fc
    .tuple(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom('limit', ...names) }, { weight: 1, arbitrary: oddText }),
      oddText,
    )
    .map(
      ([field, value]): Change =>
        (draft) => ({ ...draft, field, query: [...draft.query.filter(([name]) => name !== field), [field, value]] }),
    )
  const twice = fc.nat().map(
    (at): Change =>
      (draft) => {
        const again = draft.query[at % Math.max(1, draft.query.length)]
        return again === undefined ? draft : { ...draft, query: [...draft.query, again] }
      },
  )
  const rawQuery = fc
    .constantFrom(
      '%',
      '%zz',
      '&&&=',
      '=',
      'a=b=c',
      '?',
      'limit=%ff',
      'limit=%00',
      'x'.repeat(9_000),
      '[]=1',
      'a[b]=c',
      'limit=1;x=2',
    )
    .map(
      (text): Change =>
        (draft) => ({ ...draft, rawQuery: text }),
    )
  const segment = fc.tuple(fc.nat(), oddSegment).map(
    ([at, part]): Change =>
      (draft) => ({
        ...draft,
        segments: draft.segments.with(draft.segments.length === 0 ? 0 : at % draft.segments.length, part),
      }),
  )
  const ident = oddSegment.map(
    (part): Change =>
      (draft) => ({
        ...draft,
        segments: draft.segments.map((now, i) =>
          target.path.split('/')[i + 1]?.startsWith(':') === true ? part : now,
        ),
      }),
  )
  const payload = oddPayload.map(
    (bytes): Change =>
      (draft) => ({ ...draft, rawBody: bytes }),
  )
  const token = fc.option(oddToken, { nil: undefined }).map(
    (value): Change =>
      (draft) => ({
        ...draft,
        user: undefined,
        headers: value === undefined ? draft.headers : { ...draft.headers, 'x-auth-token': value },
      }),
  )
  const forged = fc.constantFrom('x-project-id', 'x-roles', 'x-user-id', 'x-forwarded-host', 'x-http-method-override')
  return fc.oneof(
    { weight: 6, arbitrary: body },
    { weight: 6, arbitrary: inside },
    { weight: 6, arbitrary: query },
    { weight: 3, arbitrary: ident },
    { weight: 2, arbitrary: payload },
    { weight: 1, arbitrary: fc.constant(none) },
    { weight: 1, arbitrary: twice },
    { weight: 1, arbitrary: rawQuery },
    { weight: 1, arbitrary: segment },
    { weight: 1, arbitrary: token },
    { weight: 1, arbitrary: header('openstack-api-version', oddVersion) },
    { weight: 1, arbitrary: header('content-type', oddContentType) },
    { weight: 1, arbitrary: header('accept', oddAccept) },
    { weight: 1, arbitrary: header('x-openstack-request-id', oddToken) },
    {
      weight: 1,
      arbitrary: forged.chain((name) => header(name, fc.constantFrom('admin', 'blue', 'evil.test', 'DELETE'))),
    },
  )
}

/** Another value somewhere inside, or another name. */
function spoiled(value: unknown, key: number, odd: unknown, text: string): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [odd] : value.with(key % value.length, odd)
  if (typeof value !== 'object' || value === null) return odd
  const names = Object.keys(value)
  const name = key % 3 === 0 ? text : (names[key % Math.max(1, names.length)] ?? text)
  return { ...value, ...own(name, odd) }
}

/** An own property, even if it is called `__proto__`. */
function own(name: string, value: unknown): Record<string, unknown> {
  return Object.fromEntries([[name, value]])
}

function built(method: string, draft: Draft): Case {
  const pairs = draft.query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  const query = draft.rawQuery ?? pairs
  const payload =
    draft.rawBody ?? (Object.keys(draft.body).length === 0 ? undefined : Buffer.from(JSON.stringify(draft.body)))
  return {
    method,
    url: `/${draft.segments.join('/')}${query === '' ? '' : `?${query}`}`,
    headers: draft.headers,
    payload: method === 'GET' || method === 'HEAD' ? undefined : payload,
    user: draft.user,
    field: draft.field,
  }
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
