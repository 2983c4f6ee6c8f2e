import { capsuleEndpoints } from '@zund/contract/api/endpoints/tenant.ts'
import { createCapsule } from '../../../../app/capsules/create.ts'
import { deleteCapsule } from '../../../../app/capsules/delete.ts'
import { findCapsule } from '../../../../app/capsules/find.ts'
import { listCapsules } from '../../../../app/capsules/list.ts'
import { parseTemplate } from '../../../../app/capsules/parse-template.ts'
import type { ContainerDeps } from '../../../../app/containers/deps.ts'
import { nextUrl, pageOf } from '../../paging.ts'
import { route, type Call, type RawCall, type Reply, type Route } from '../../route.ts'
import type { CapsuleViews } from './view.ts'

const RESOURCE = 'capsules'

type Endpoints = ReturnType<typeof capsuleEndpoints>

/** Pods: containers that share a network (capsules 1). All of it is there in every version. */
export function capsuleRoutes(deps: ContainerDeps, views: CapsuleViews): Route[] {
  const endpoints = capsuleEndpoints(deps.options)
  return [
    route(endpoints.createCapsule, (call) => create(deps, views, call)),
    route(endpoints.listCapsules, (call) => list(deps, views, call)),
    route(endpoints.showCapsule, async ({ ctx, params, baseUrl }) => ({
      json: views.encode(ctx, await findCapsule(deps, ctx, params['ident'] ?? ''), baseUrl),
    })),
    route(endpoints.deleteCapsule, async ({ ctx, params, args }) => {
      await deleteCapsule(deps, ctx, params['ident'] ?? '', { allProjects: args.all_projects ?? false })
      return { status: 204 }
    }),
  ]
}

async function create(deps: ContainerDeps, views: CapsuleViews, { ctx, body, baseUrl }: RawCall): Promise<Reply> {
  const capsule = await createCapsule(deps, ctx, parseTemplate(body, deps.options.limits))
  return {
    status: 202,
    json: views.encode(ctx, capsule, baseUrl),
    headers: { Location: `${baseUrl}/v1/${RESOURCE}/${capsule.record.uuid}` },
  }
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
