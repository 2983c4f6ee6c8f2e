import { capsuleEndpoints } from '@zund/contract/api/endpoints/tenant.ts'
import { createCapsule } from '../../../../app/capsules/create.ts'
import { deleteCapsule } from '../../../../app/capsules/delete.ts'
import { findCapsule } from '../../../../app/capsules/find.ts'
import { listCapsules } from '../../../../app/capsules/list.ts'
import { parseTemplate } from '../../../../app/capsules/parse-template.ts'
import type { ContainerDeps } from '../../../../app/containers/deps.ts'
import { waitFor, type WaitDeps } from '../../../../app/containers/wait.ts'
import { once } from '../../../../app/once.ts'
import type { Capsule } from '../../../../domain/capsule/types.ts'
import { onceOf, replayed } from '../../once.ts'
import { nextUrl, pageOf } from '../../paging.ts'
import { route, type Call, type Reply, type Route } from '../../route.ts'
import { waitedReply, waitOf } from '../containers/waited.ts'
import type { CapsuleViews } from './view.ts'

const RESOURCE = 'capsules'

type Endpoints = ReturnType<typeof capsuleEndpoints>

/** Pods: containers that share a network (capsules 1). All of it is there in every version. */
export function capsuleRoutes(deps: ContainerDeps & WaitDeps, views: CapsuleViews): Route[] {
  const endpoints = capsuleEndpoints(deps.options)
  return [
    route(endpoints.createCapsule, (call) => create(deps, views, call)),
    route(endpoints.listCapsules, (call) => list(deps, views, call)),
    route(endpoints.showCapsule, (call) => show(deps, views, call)),
    route(endpoints.deleteCapsule, async ({ ctx, params, args }) => {
      await deleteCapsule(deps, ctx, params['ident'] ?? '', { allProjects: args.all_projects ?? false })
      return { status: 204 }
    }),
  ]
}

async function create(deps: ContainerDeps, views: CapsuleViews, call: Call): Promise<Reply> {
  const { ctx, body, baseUrl } = call
  const { made, isReplay } = await once(
    deps,
    ctx,
    onceOf(call, '/v1/capsules'),
    async (note) => await createCapsule(deps, ctx, parseTemplate(body, deps.options.limits), note),
    async (uuid) => {
      deps.policy.authorize('capsule:create', ctx)
      return await findCapsule(deps, ctx, uuid)
    },
  )
  return {
    status: 202,
    json: views.encode(ctx, made, baseUrl),
    headers: { Location: `${baseUrl}/v1/${RESOURCE}/${made.record.uuid}`, ...replayed(isReplay) },
  }
}

async function show(
  deps: ContainerDeps & WaitDeps,
  views: CapsuleViews,
  { ctx, params, args, baseUrl, whileWaiting }: Call<Endpoints['showCapsule']['args']>,
): Promise<Reply> {
  const shown = (capsule: Capsule): Reply => ({ json: views.encode(ctx, capsule, baseUrl) })
  const [ident, wait] = [params['ident'] ?? '', waitOf({ args, whileWaiting })]
  if (wait === undefined) return shown(await findCapsule(deps, ctx, ident))
  const waited = await waitFor(deps, ctx, wait, ident, async (name) => {
    const found = await findCapsule(deps, ctx, name)
    return { found, look: found.record }
  })
  return waitedReply(waited, shown)
}

/** `all_projects` of whoever is no admin counts for nothing, where other lists refuse it. */
async function list(
  deps: ContainerDeps,
  views: CapsuleViews,
  { ctx, args, query, baseUrl }: Call<Endpoints['listCapsules']['args']>,
): Promise<Reply> {
  const page = pageOf(args, deps.options.maxPageSize, 'id')
  const capsules = await listCapsules(deps, ctx, { page, allProjects: args.all_projects ?? false })
  const uuids = capsules.map(({ record }) => record.uuid)
  const items = capsules.map((capsule) => views.encode(ctx, capsule, baseUrl))
  const next = nextUrl(baseUrl, RESOURCE, page, query, uuids)
  return { json: `{"capsules":[${items.join()}],"next":${JSON.stringify(next)}}` }
}
