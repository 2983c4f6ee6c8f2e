import { InvalidInput, NotFound } from '../domain/errors.ts'
import type { Page } from '../orchestration/ports/store.ts'

export interface PageOrder<T> {
  /** What may be sorted by, under the names of the API's fields. */
  readonly keys: Readonly<Record<string, (row: T) => string | number>>
  /** Breaks ties, and is what a marker holds. */
  readonly id: (row: T) => string
  /** Code of the 404 for a marker that is no row's. */
  readonly notFoundCode: string
}

/** One page of rows that are few enough to be sorted here. */
export function pageOf<T>(rows: readonly T[], page: Page, order: PageOrder<T>): T[] {
  const key = Object.hasOwn(order.keys, page.sortKey) ? order.keys[page.sortKey] : undefined
  if (key === undefined) {
    throw new InvalidInput(
      `Invalid input for query parameters 'sort_key'. Value: '${page.sortKey.slice(0, 64)}'. It is not one of ${Object.keys(order.keys).join(', ')}`,
      'invalid-parameter-value',
    )
  }
  const sign = page.sortDir === 'asc' ? 1 : -1
  const sorted = rows.toSorted((a, b) => sign * (compare(key(a), key(b)) || compare(order.id(a), order.id(b))))
  if (page.marker === null) return sorted.slice(0, page.limit)
  const at = sorted.findIndex((row) => order.id(row) === page.marker)
  if (at < 0) throw new NotFound(`Marker ${page.marker.slice(0, 64)} could not be found.`, order.notFoundCode)
  return sorted.slice(at + 1, at + 1 + page.limit)
}

function compare(a: string | number, b: string | number): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
