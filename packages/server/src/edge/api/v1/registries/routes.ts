import type { RequestContext } from '../../../../app/context.ts'
import type { Policy } from '../../../../app/ports/policy.ts'
import {
  createRegistry,
  deleteRegistry,
  isFieldHidden,
  listRegistries,
  REGISTRY_FILTERS,
  showRegistry,
  updateRegistry,
  type RegistryDeps,
  type RegistryFilters,
} from '../../../../app/registries/manage.ts'
import type { Registry } from '../../../../orchestration/ports/store.ts'
import { allProjects } from '../../arguments.ts'
import { nextUrl, PAGE_PARAMETERS, parsePage } from '../../paging.ts'
import type { Query, Route } from '../../route.ts'

const RESOURCE = 'registries'
const COLLECTION = `/v1/${RESOURCE}`
const ITEM = `${COLLECTION}/:ident`

/** Private image registries (admin-resources 8). */
export function registryRoutes(deps: RegistryDeps): Route[] {
  const one = (ctx: RequestContext, registry: Registry, baseUrl: string): object => ({
    registry: { ...fieldsOf(deps.policy, ctx, registry), links: linksOf(registry, baseUrl) },
  })
  return [
    {
      method: 'GET',
      path: COLLECTION,
      query: [...REGISTRY_FILTERS, ...PAGE_PARAMETERS, 'all_projects', 'resource_url'],
      handle: async ({ ctx, query, baseUrl }) => {
        const page = parsePage(query, deps.options.maxPageSize, 'id')
        const wanted = { page, filters: filtersOf(query), everywhere: allProjects(query) }
        const registries = await listRegistries(deps, ctx, wanted)
        const uuids = registries.map(({ uuid }) => uuid)
        return {
          body: {
            registries: registries.map((registry) => fieldsOf(deps.policy, ctx, registry)),
            next: nextUrl(baseUrl, RESOURCE, page, query, uuids),
          },
        }
      },
    },
    {
      method: 'POST',
      path: COLLECTION,
      requiresJson: true,
      handle: async ({ ctx, body, baseUrl }) => {
        const registry = await createRegistry(deps, ctx, body)
        const headers = { Location: `${baseUrl}${COLLECTION}/${registry.uuid}` }
        return { status: 201, body: one(ctx, registry, baseUrl), headers }
      },
    },
    {
      method: 'GET',
      path: ITEM,
      handle: async ({ ctx, params, baseUrl }) => ({
        body: one(ctx, await showRegistry(deps, ctx, params['ident'] ?? ''), baseUrl),
      }),
    },
    {
      method: 'PATCH',
      path: ITEM,
      handle: async ({ ctx, params, body, baseUrl }) => ({
        body: one(ctx, await updateRegistry(deps, ctx, params['ident'] ?? '', body), baseUrl),
      }),
    },
    {
      method: 'DELETE',
      path: ITEM,
      handle: async ({ ctx, params }) => {
        await deleteRegistry(deps, ctx, params['ident'] ?? '')
        return { status: 204 }
      },
    },
  ]
}

function filtersOf(query: Query): RegistryFilters {
  const given = REGISTRY_FILTERS.flatMap((name) => {
    const value = query[name]
    return value === undefined ? [] : [[name, typeof value === 'string' ? [value] : value] as const]
  })
  return Object.fromEntries(given)
}

/** `password` is the same three stars whether there is one or not. */
function fieldsOf(policy: Policy, ctx: RequestContext, registry: Registry): Record<string, unknown> {
  const fields = {
    uuid: registry.uuid,
    name: registry.name,
    domain: registry.domain,
    username: registry.username,
    password: '***',
    project_id: registry.projectId,
    user_id: registry.userId,
  }
  return Object.fromEntries(Object.entries(fields).filter(([field]) => !isFieldHidden(policy, ctx, field)))
}

function linksOf({ uuid }: Registry, baseUrl: string): object[] {
  return [
    { href: `${baseUrl}${COLLECTION}/${uuid}`, rel: 'self' },
    { href: `${baseUrl}/${RESOURCE}/${uuid}`, rel: 'bookmark' },
  ]
}
