import type { ListedRegistry, Registry as RegistryBody } from '@zund/contract/api/admin.ts'
import { registryEndpoints } from '@zund/contract/api/endpoints/tenant.ts'
import type { RequestContext } from '../../../../app/context.ts'
import type { Policy } from '../../../../app/ports/policy.ts'
import {
  createRegistry,
  deleteRegistry,
  isFieldHidden,
  listRegistries,
  showRegistry,
  updateRegistry,
  type RegistryDeps,
} from '../../../../app/registries/manage.ts'
import type { Registry } from '../../../../orchestration/ports/store.ts'
import { nextUrl, pageOf } from '../../paging.ts'
import { route, type Call, type Reply, type Route } from '../../route.ts'

const RESOURCE = 'registries'
const COLLECTION = `/v1/${RESOURCE}`

type Endpoints = ReturnType<typeof registryEndpoints>

/** Private image registries (admin-resources 8). */
export function registryRoutes(deps: RegistryDeps): Route[] {
  const endpoints = registryEndpoints(deps.options)
  const one = (ctx: RequestContext, registry: Registry, baseUrl: string): object => ({
    registry: { ...visible(deps.policy, ctx, registry), links: linksOf(registry, baseUrl) },
  })
  return [
    route(endpoints.listRegistries, (call) => list(deps, call)),
    route(endpoints.createRegistry, async ({ ctx, body, baseUrl }) => {
      const registry = await createRegistry(deps, ctx, body)
      const headers = { Location: `${baseUrl}${COLLECTION}/${registry.uuid}` }
      return { status: 201, body: one(ctx, registry, baseUrl), headers }
    }),
    route(endpoints.showRegistry, async ({ ctx, params, baseUrl }) => ({
      body: one(ctx, await showRegistry(deps, ctx, params['ident'] ?? ''), baseUrl),
    })),
    route(endpoints.updateRegistry, async ({ ctx, params, body, baseUrl }) => ({
      body: one(ctx, await updateRegistry(deps, ctx, params['ident'] ?? '', body), baseUrl),
    })),
    route(endpoints.deleteRegistry, async ({ ctx, params }) => {
      await deleteRegistry(deps, ctx, params['ident'] ?? '')
      return { status: 204 }
    }),
  ]
}

async function list(
  deps: RegistryDeps,
  { ctx, args, query, baseUrl }: Call<Endpoints['listRegistries']['args']>,
): Promise<Reply> {
  const page = pageOf(args, deps.options.maxPageSize, 'id')
  const registries = await listRegistries(deps, ctx, { page, filters: args, everywhere: args.all_projects ?? false })
  const uuids = registries.map(({ uuid }) => uuid)
  return {
    body: {
      registries: registries.map((registry) => visible(deps.policy, ctx, registry)),
      next: nextUrl(baseUrl, RESOURCE, page, query, uuids),
    },
  }
}

/** Without what a rule hides. */
function visible(policy: Policy, ctx: RequestContext, registry: Registry): Partial<ListedRegistry> {
  const fields = Object.entries(fieldsOf(registry)).filter(([field]) => !isFieldHidden(policy, ctx, field))
  return Object.fromEntries(fields)
}

/** `password` is the same three stars whether there is one or not. */
function fieldsOf(registry: Registry): ListedRegistry {
  return {
    uuid: registry.uuid,
    name: registry.name,
    domain: registry.domain,
    username: registry.username,
    password: '***',
    project_id: registry.projectId,
    user_id: registry.userId,
  }
}

function linksOf({ uuid }: Registry, baseUrl: string): RegistryBody['links'] {
  return [
    { href: `${baseUrl}${COLLECTION}/${uuid}`, rel: 'self' },
    { href: `${baseUrl}/${RESOURCE}/${uuid}`, rel: 'bookmark' },
  ]
}
