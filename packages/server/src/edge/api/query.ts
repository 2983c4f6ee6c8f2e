import { InvalidInput } from '../../domain/errors.ts'
import { listed } from '../../app/fields.ts'
import type { Query } from './route.ts'

const EMPTY_QUERY: Query = Object.freeze(Object.create(null) as Query)

/** Form-encoded: `+` is a space. */
export function parseQuery(text: string): Query {
  if (text === '') return EMPTY_QUERY
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw new InvalidInput('The query has a bad percent-encoding.')
  const query: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  for (const [name, value] of new URLSearchParams(text)) {
    const before = query[name]
    if (before === undefined) query[name] = value
    else if (typeof before === 'string') query[name] = [before, value]
    else before.push(value)
  }
  return query
}

export function refuseUnknown(query: Query, known: readonly string[]): void {
  const unknown = Object.keys(query).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  throw new InvalidInput(`Unknown parameters: ${listed(unknown)}`)
}
