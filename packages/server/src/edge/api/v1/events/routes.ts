import { EVENT_ENDPOINTS } from '@zund/contract/api/endpoints/events.ts'
import { listen, type ListenDeps } from '../../../../app/events/listen.ts'
import { route, type Route } from '../../route.ts'
import { frames, RETRY } from './view.ts'

/** An extension: docs/api/events.md. */
export function eventRoutes(deps: ListenDeps): Route[] {
  return [
    route(EVENT_ENDPOINTS.listenEvents, async ({ ctx, args, declared }) => {
      // A browser that comes back asks with the header, and still has the first place in its URL.
      const after = declared['last-event-id'] ?? args.last_event_id
      const { follow, leave } = listen(deps, ctx, {
        uuids: args.uuid,
        types: args.type,
        after: after === undefined ? undefined : Number(after),
        allProjects: args.all_projects ?? false,
        lastsMs: args.timeout === undefined ? Infinity : args.timeout * 1000,
      })
      return {
        headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
        stream: async function* (signal) {
          try {
            yield RETRY
            for await (const told of follow(signal)) yield frames(told)
          } finally {
            leave()
          }
        },
      }
    }),
  ]
}
