import { createCapsule } from '../../../../app/capsules/create.ts'
import { deleteCapsule } from '../../../../app/capsules/delete.ts'
import { findCapsule } from '../../../../app/capsules/find.ts'
import { listCapsules } from '../../../../app/capsules/list.ts'
import { parseTemplate } from '../../../../app/capsules/parse-template.ts'
import type { ContainerDeps } from '../../../../app/containers/deps.ts'
import { allProjects } from '../../arguments.ts'
import { nextUrl, PAGE_PARAMETERS, parsePage } from '../../paging.ts'
import type { Call, Reply, Route } from '../../route.ts'
import type { CapsuleViews } from './view.ts'

const RESOURCE = 'capsules'
const COLLECTION = `/v1/${RESOURCE}`
const ITEM = `${COLLECTION}/:ident`

/** Pods: containers that share a network (capsules 1). All of it is there in every version. */
export function capsuleRoutes(deps: ContainerDeps, views: CapsuleViews): Route[] {
  return [
    { method: 'POST', path: COLLECTION, requiresJson: true, handle: (call) => create(deps, views, call) },
    {
      method: 'GET',
      path: COLLECTION,
      query: [...PAGE_PARAMETERS, 'all_projects', 'expand', 'resource_url'],
      handle: (call) => list(deps, views, call),
    },
    {
      method: 'GET',
      path: ITEM,
      handle: async ({ ctx, params, baseUrl }) => ({
        json: views.encode(ctx, await findCapsule(deps, ctx, params['ident'] ?? ''), baseUrl),
      }),
    },
    {
      method: 'DELETE',
      path: ITEM,
      query: ['all_projects'],
      handle: async ({ ctx, params, query }) => {
        await deleteCapsule(deps, ctx, params['ident'] ?? '', { allProjects: allProjects(query, 'invalid-value') })
        return { status: 204 }
      },
    },
  ]
}

async function create(deps: ContainerDeps, views: CapsuleViews, { ctx, body, baseUrl }: Call): Promise<Reply> {
  const capsule = await createCapsule(deps, ctx, parseTemplate(body, deps.options.limits))
  return {
    status: 202,
    json: views.encode(ctx, capsule, baseUrl),
    headers: { Location: `${baseUrl}${COLLECTION}/${capsule.record.uuid}` },
  }
}

/** `all_projects` of whoever is no admin counts for nothing, where other lists refuse it. */
async function list(deps: ContainerDeps, views: CapsuleViews, { ctx, query, baseUrl }: Call): Promise<Reply> {
  const page = parsePage(query, deps.options.maxPageSize, 'id')
  const capsules = await listCapsules(deps, ctx, { page, allProjects: allProjects(query, 'invalid-value') })
  const uuids = capsules.map(({ record }) => record.uuid)
  const items = capsules.map((capsule) => views.encode(ctx, capsule, baseUrl))
  const next = nextUrl(baseUrl, RESOURCE, page, query, uuids)
  return { json: `{"capsules":[${items.join()}],"next":${JSON.stringify(next)}}` }
}
