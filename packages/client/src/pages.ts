import type { CallOptions } from './call.ts'

interface Paged {
  readonly query?: { readonly marker?: string | undefined }
}

/**
 * All pages of a list, one after the other:
 * `for await (const page of pages(client.listContainers, { query: { limit: 100 } }))`.
 */
export async function* pages<I extends Paged, P extends { readonly next: string | null }>(
  list: (input?: I, o?: CallOptions) => Promise<P>,
  input: NoInfer<I>,
  o: CallOptions = {},
): AsyncGenerator<P> {
  for (let marker: string | undefined; ; ) {
    const page = await list(marker === undefined ? input : { ...input, query: { ...input.query, marker } }, o)
    yield page
    // Only the marker is taken of the URL: behind a proxy its path may not be the one that leads there.
    const next = page.next === null ? null : new URL(page.next).searchParams.get('marker')
    if (next === null || next === marker) return
    marker = next
  }
}

/** What is in all pages of a list: `each(client.listContainers, 'containers', {})`. */
export async function* each<I extends Paged, K extends string, T>(
  list: (input?: I, o?: CallOptions) => Promise<{ readonly next: string | null } & { readonly [N in K]: readonly T[] }>,
  key: K,
  input: NoInfer<I>,
  o: CallOptions = {},
): AsyncGenerator<T> {
  for await (const page of pages(list, input, o)) for (const one of page[key]) yield one
}
