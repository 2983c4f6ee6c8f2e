import type { ContainerStatus } from '../../domain/container/types.ts'
import { NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { Clock } from '../../orchestration/ports/clock.ts'
import type { Store } from '../../orchestration/ports/store.ts'
import { lookupScope, type RequestContext } from '../context.ts'
import type { EventFeed } from '../events/feed.ts'
import type { Places } from '../events/places.ts'

export interface WaitDeps {
  readonly store: Pick<Store, 'operations' | 'history'>
  readonly feed: EventFeed
  readonly clock: Clock
  readonly waiting: Places
}

export interface Wait {
  readonly wanted: readonly ContainerStatus[]
  readonly timeoutMs: number
  /** Aborted when nobody waits any more; then the answer is as when the time is over. */
  readonly signal: AbortSignal
}

interface Look {
  readonly uuid: string
  readonly status: ContainerStatus
}

/** `gone`: as it was wanted. */
export type Waited<T> =
  | { readonly outcome: 'reached' | 'never' | 'timeout'; readonly found: T }
  | { readonly outcome: 'gone' }

/**
 * Looks at a container or capsule until its status is as wanted, or cannot become so, or the time is over. `look` finds it, by what was asked
 * first and then by its uuid, and throws NotFound; it is asked again only when there were events of it.
 */
export async function waitFor<T>(
  deps: WaitDeps,
  ctx: RequestContext,
  { wanted, timeoutMs, signal: over }: Wait,
  ident: string,
  look: (ident: string) => Promise<{ readonly found: T; readonly look: Look }>,
): Promise<Waited<T>> {
  const { feed, clock, waiting } = deps
  const leavePlace = waiting.take(ctx.caller.userId)
  const endsAt = clock.now() + timeoutMs
  const signal = AbortSignal.any([over, ctx.signal, feed.stopping])
  // Before the first look: what happens after it is heard.
  const { head, leave } = await feed.enter().catch((error: unknown) => {
    leavePlace()
    throw error
  })
  try {
    let known: string | undefined
    for (let cursor = head; ; ) {
      const seen = await look(known ?? ident).catch(async (error: unknown) => {
        if (!(error instanceof NotFound) || !wanted.includes('Deleted')) throw error
        if (known === undefined && !(await wasThere(deps, ctx, ident))) throw error
        return undefined
      })
      if (seen === undefined) return { outcome: 'gone' }
      known = seen.look.uuid
      const outcome = await outcomeOf(deps, wanted, seen.look)
      if (outcome !== undefined) return { outcome, found: seen.found }
      const moved = await newsOf(deps, known, cursor, endsAt, signal)
      if (moved === undefined) return { outcome: 'timeout', found: seen.found }
      cursor = moved
    }
  } finally {
    leave()
    leavePlace()
  }
}

async function outcomeOf(
  { store }: WaitDeps,
  wanted: readonly ContainerStatus[],
  { uuid, status }: Look,
): Promise<'reached' | 'never' | undefined> {
  // A record with that status is still being removed.
  if (status !== 'Deleted' && wanted.includes(status)) return 'reached'
  if (status !== 'Error') return undefined
  return (await store.operations.unfinished(uuid)).length === 0 ? 'never' : undefined
}

/** Place behind an event of it; undefined: the time is over. */
async function newsOf(
  { feed, clock }: WaitDeps,
  uuid: string,
  from: number,
  endsAt: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  let cursor = from
  for (;;) {
    const read = await feed.read(cursor)
    cursor = read.cursor
    if (read.kind === 'reset' || read.events.some((event) => event.uuid === uuid)) return cursor
    if (read.events.length > 0) continue
    if (!(await feed.moved(cursor, Math.max(0, endsAt - clock.now()), signal))) return undefined
  }
}

async function wasThere({ store }: WaitDeps, ctx: RequestContext, ident: string): Promise<boolean> {
  const uuid = normaliseUuid(ident)
  return uuid !== undefined && (await store.history.byUuid(uuid, lookupScope(ctx))) !== undefined
}
