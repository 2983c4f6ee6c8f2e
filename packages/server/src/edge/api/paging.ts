import type { PageFields } from '@zund/contract/fields/paging.ts'
import type { Read } from '@zund/contract/fields/field.ts'
import type { Page } from '../../orchestration/ports/store.ts'
import type { Query } from './route.ts'

/** What does not lead to the next page, because it is in its URL already. */
const PAGE_PARAMETERS: readonly string[] = ['limit', 'marker', 'sort_key', 'sort_dir']

export function pageOf(args: Read<PageFields>, maxPageSize: number, defaultSortKey: string): Page {
  return {
    limit: args.limit ?? maxPageSize,
    marker: args.marker ?? null,
    sortKey: args.sort_key ?? defaultSortKey,
    sortDir: args.sort_dir ?? 'asc',
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
    if (PAGE_PARAMETERS.includes(name)) continue
    for (const one of typeof value === 'string' ? [value] : value) params.append(name, one)
  }
  return `${baseUrl}/v1/${resource}?${params.toString()}`
}
