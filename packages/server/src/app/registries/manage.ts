/** Private image registries of projects: what containers of the project can be made with. */
import { REGISTRY_FILTERS } from '@zund/contract/api/endpoints/tenant.ts'
import { Conflict, Forbidden, PolicyNotAuthorized, QuotaExceeded } from '../../domain/errors.ts'
import type { Page, Registry, RegistryReads, Store } from '../../orchestration/ports/store.ts'
import { lookupScope, ownScope, type RequestContext } from '../context.ts'
import type { Body } from '../fields.ts'
import type { AppOptions } from '../options.ts'
import { pageOf, type PageOrder } from '../page.ts'
import type { Policy } from '../ports/policy.ts'
import type { Secrets } from '../ports/secrets.ts'
import { readNewRegistry, readRegistryChange } from './fields.ts'
import { findRegistry, NOT_FOUND_CODE, registryNotFound, registryTarget } from './find.ts'

export interface RegistryDeps {
  readonly store: Store
  readonly policy: Policy
  readonly secrets: Secrets
  readonly options: Pick<AppOptions, 'maxPageSize' | 'registriesPerProject'>
  readonly newUuid: () => string
}

export type RegistryFilters = {
  readonly [Field in (typeof REGISTRY_FILTERS)[number]]: readonly string[] | undefined
}

const ORDER: PageOrder<Registry> = {
  id: (registry) => registry.uuid,
  notFoundCode: NOT_FOUND_CODE,
  keys: {
    id: (registry) => registry.id,
    uuid: (registry) => registry.uuid,
    name: (registry) => registry.name ?? '',
    domain: (registry) => registry.domain,
    username: (registry) => registry.username ?? '',
    project_id: (registry) => registry.projectId,
    user_id: (registry) => registry.userId,
  },
}

export async function createRegistry(deps: RegistryDeps, ctx: RequestContext, body: Body): Promise<Registry> {
  const { name, domain, username, password } = readNewRegistry(body)
  deps.policy.authorize('registry:create', ctx)
  const { projectId, userId } = ctx.caller
  if (projectId === null) throw new Forbidden('A registry belongs to a project; the token is not scoped to one.')
  const uuid = deps.newUuid()
  const sealedPassword = password === undefined ? null : deps.secrets.seal(password, uuid)
  return await deps.store.write(async (tx) => {
    await requireRoom(tx.registries, projectId, deps.options.registriesPerProject)
    const fields = { name: name ?? null, domain, username: username ?? null, sealedPassword }
    return await tx.registries.insert({ uuid, ...fields, projectId, userId })
  })
}

/** The contract knows no limit here; without one a project could fill the database. */
async function requireRoom(registries: RegistryReads, projectId: string, limit: number): Promise<void> {
  if (limit < 0) return
  const there = (await registries.list({ kind: 'project', projectId })).length
  if (there < limit) return
  throw new QuotaExceeded(`Quota exceeded: the project has ${there} of at most ${limit} registries.`)
}

export async function listRegistries(
  deps: RegistryDeps,
  ctx: RequestContext,
  wanted: { readonly page: Page; readonly filters: RegistryFilters; readonly everywhere: boolean },
): Promise<Registry[]> {
  deps.policy.authorize('registry:get_all', ctx)
  if (wanted.everywhere) deps.policy.authorize('registry:get_all_all_projects', ctx)
  const filters = REGISTRY_FILTERS.filter((field) => wanted.filters[field] !== undefined)
  for (const field of filters) {
    // Whoever may not see a field shall not find it out by asking for it either.
    if (isFieldHidden(deps.policy, ctx, field)) throw new PolicyNotAuthorized(ruleOf(field))
  }
  const scope = wanted.everywhere && ctx.isAdmin ? { kind: 'all' as const } : ownScope(ctx)
  const fitting = (await deps.store.registries.list(scope)).filter((registry) => {
    const fields: Readonly<Record<string, unknown>> = registryTarget(registry)
    return filters.every((field) => wanted.filters[field]?.some((value) => fields[field] === value))
  })
  return pageOf(fitting, wanted.page, ORDER)
}

export async function showRegistry(deps: RegistryDeps, ctx: RequestContext, ident: string): Promise<Registry> {
  const registry = await findRegistry(deps.store.registries, lookupScope(ctx), ident)
  deps.policy.authorize('registry:get_one', ctx, registryTarget(registry))
  return registry
}

/** What is not given stays. Operations that are claimed from then on use what is new. */
export async function updateRegistry(
  deps: RegistryDeps,
  ctx: RequestContext,
  ident: string,
  body: Body,
): Promise<Registry> {
  const { password, ...fields } = readRegistryChange(body)
  const { uuid, ...registry } = await findRegistry(deps.store.registries, lookupScope(ctx), ident)
  deps.policy.authorize('registry:update', ctx, registryTarget({ uuid, ...registry }))
  return await deps.store.write(async (tx) => {
    const { name, domain, username } = fields
    await tx.registries.update(uuid, {
      ...(name === undefined ? {} : { name }),
      ...(domain === undefined ? {} : { domain }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { sealedPassword: deps.secrets.seal(password, uuid) }),
    })
    const now = await tx.registries.byUuid(uuid, { kind: 'all' })
    if (now === undefined) throw registryNotFound(ident)
    return now
  })
}

/** Not while there is a container that was made with it: a rebuild would not find its image any more. */
export async function deleteRegistry(deps: RegistryDeps, ctx: RequestContext, ident: string): Promise<void> {
  const registry = await findRegistry(deps.store.registries, lookupScope(ctx), ident)
  deps.policy.authorize('registry:delete', ctx, registryTarget(registry))
  await deps.store.write(async (tx) => {
    if (await tx.registries.isUsed(registry.uuid)) {
      throw new Conflict(`Registry ${registry.uuid} is in use by a container.`)
    }
    if (!(await tx.registries.remove(registry.uuid))) throw registryNotFound(ident)
  })
}

/** A field is hidden from who fails its rule, if an operator has made one. */
export function isFieldHidden(policy: Policy, ctx: RequestContext, field: string): boolean {
  return policy.defines(ruleOf(field)) && !policy.allows(ruleOf(field), ctx)
}

function ruleOf(field: string): string {
  return `registry:get_one:${field}`
}
