import { InvalidInput } from '../../domain/errors.ts'
import type { Page } from '../../orchestration/ports/store.ts'
import type { Query } from './route.ts'

/** Paging parameters of a list (api-conventions 7). */
export const PAGE_PARAMETERS = ['limit', 'marker', 'sort_key', 'sort_dir'] as const

export function parsePage(query: Query, maxPageSize: number, defaultSortKey: string): Page {
  const limit = single(query, 'limit')
  const sortDir = single(query, 'sort_dir') ?? 'asc'
  if (limit !== undefined && !/^[1-9][0-9]{0,8}$/.test(limit)) {
    throw new InvalidInput(
      `Invalid input for query parameters 'limit'. Value: '${limit}'. It must be a positive integer`,
    )
  }
  if (sortDir !== 'asc' && sortDir !== 'desc') {
    throw new InvalidInput(`Invalid input for query parameters 'sort_dir'. Value: '${sortDir}'. It must be asc or desc`)
  }
  return {
    limit: Math.min(limit === undefined ? maxPageSize : Number(limit), maxPageSize),
    marker: single(query, 'marker') ?? null,
    sortKey: single(query, 'sort_key') ?? defaultSortKey,
    sortDir,
  }
}

/**
 * URL of the next page, or null when this one is not full. Its path begins with `/v1/` even behind a prefix: the client
 * strips that and appends the rest to the catalogue's URL.
 */
export function nextUrl(
  baseUrl: string,
  resource: string,
  page: Page,
  query: Query,
  uuids: readonly string[],
): string | null {
  const last = uuids.at(-1)
  if (uuids.length < page.limit || last === undefined) return null
  const params = new URLSearchParams({
    sort_key: page.sortKey,
    sort_dir: page.sortDir,
    limit: String(page.limit),
    marker: last,
  })
  for (const [name, value] of Object.entries(query)) {
    if ((PAGE_PARAMETERS as readonly string[]).includes(name)) continue
    for (const one of typeof value === 'string' ? [value] : value) params.append(name, one)
  }
  return `${baseUrl}/v1/${resource}?${params.toString()}`
}

/** A parameter that makes sense only once: the last one counts. `None` and empty are absent. */
export function single(query: Query, name: string): string | undefined {
  const value = query[name]
  const last = typeof value === 'string' ? value : value?.at(-1)
  return last === '' || last === 'None' ? undefined : last
}
