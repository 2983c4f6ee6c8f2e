import type { Clock } from '../../orchestration/ports/clock.ts'
import type { StoredEvent } from '../../orchestration/ports/events.ts'
import type { Scope } from '../../orchestration/ports/query.ts'
import { ownScope, type RequestContext } from '../context.ts'
import type { Policy } from '../ports/policy.ts'
import type { EventFeed } from './feed.ts'
import type { Places } from './places.ts'

export interface ListenDeps {
  readonly feed: EventFeed
  readonly policy: Policy
  readonly places: Places
  readonly clock: Clock
}

export interface EventQuery {
  /** Of containers, capsules and images; undefined: of all. */
  readonly uuids: readonly string[] | undefined
  readonly types: readonly string[] | undefined
  /** Begin behind this one; undefined: now. */
  readonly after: number | undefined
  readonly allProjects: boolean
  /** Infinity: until one side ends it. */
  readonly lastsMs: number
}

export type Told =
  | { readonly kind: 'ready'; readonly cursor: number }
  | { readonly kind: 'reset'; readonly cursor: number; readonly reason: 'expired' | 'unknown' }
  | { readonly kind: 'events'; readonly events: readonly StoredEvent[]; readonly cursor: number }
  /** Nothing of what was asked for has happened. */
  | { readonly kind: 'quiet'; readonly cursor: number }

/** Longest silence. */
const QUIET_MS = 15_000

export interface Listening {
  /** Ends with `signal`. */
  follow(signal: AbortSignal): AsyncGenerator<Told>
  /** To be called when it is over, whether it was followed or not. */
  leave(): void
}

/** What happens; who asks is checked before it begins. */
export function listen(deps: ListenDeps, ctx: RequestContext, query: EventQuery): Listening {
  const { policy, places } = deps
  policy.authorize('event:get_all', ctx)
  if (query.allProjects) policy.authorize('event:get_all_all_projects', ctx)
  const isAbout = filterOf(query, query.allProjects ? { kind: 'all' } : ownScope(ctx))
  // Of images hears who may list them.
  const seesImages = policy.allows('image:get_all', ctx)
  const isWanted = (event: StoredEvent): boolean => (seesImages || event.kind !== 'image') && isAbout(event)
  const leave = places.take(ctx.caller.userId)
  return { leave, follow: (signal) => follow(deps, query, isWanted, signal) }
}

async function* follow(
  { feed, clock }: ListenDeps,
  { after, lastsMs }: EventQuery,
  isWanted: (event: StoredEvent) => boolean,
  signal: AbortSignal,
): AsyncGenerator<Told> {
  const endsAt = clock.now() + lastsMs
  const { head, leave } = await feed.enter()
  try {
    let cursor = after ?? head
    const first = await feed.read(cursor)
    if (first.kind === 'reset') cursor = first.cursor
    yield first.kind === 'reset' ? first : { kind: 'ready', cursor }
    while (!signal.aborted) {
      const found = await feed.read(cursor)
      const isMoving = found.cursor !== cursor
      cursor = found.cursor
      if (found.kind === 'reset') yield found
      else {
        const events = found.events.filter(isWanted)
        if (events.length > 0) yield { kind: 'events', events, cursor }
      }
      if (isMoving) continue
      const leftMs = endsAt - clock.now()
      if (leftMs <= 0) return
      if ((await feed.moved(cursor, Math.min(QUIET_MS, leftMs), signal)) || signal.aborted) continue
      yield { kind: 'quiet', cursor }
    }
  } finally {
    leave()
  }
}

function filterOf({ uuids, types }: EventQuery, scope: Scope): (event: StoredEvent) => boolean {
  const wanted = uuids === undefined ? undefined : new Set(uuids)
  const kinds = types === undefined ? undefined : new Set(types)
  return (event) => {
    if (scope.kind === 'project' && event.projectId !== scope.projectId) return false
    if (scope.kind === 'user' && event.userId !== scope.userId) return false
    if (kinds !== undefined && !kinds.has(event.type)) return false
    if (wanted === undefined || wanted.has(event.uuid)) return true
    return event.capsuleUuid !== null && wanted.has(event.capsuleUuid)
  }
}
