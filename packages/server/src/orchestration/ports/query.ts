/** Which records, and which part of them. */

/** Which records a caller may see. `all` is for admins and for the system itself. */
export type Scope =
  | { readonly kind: 'all' }
  | { readonly kind: 'project'; readonly projectId: string }
  | { readonly kind: 'user'; readonly userId: string }

export interface Page {
  readonly limit: number
  /** Uuid of the last item of the page before. */
  readonly marker: string | null
  readonly sortKey: string
  readonly sortDir: 'asc' | 'desc'
}
