import { Conflict, NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { Registry, RegistryReads, Scope } from '../../orchestration/ports/store.ts'

export const NOT_FOUND_CODE = 'registry-not-found'

/** What looks like a uuid is one; names are not unique. */
export async function findRegistry(registries: RegistryReads, scope: Scope, ident: string): Promise<Registry> {
  const uuid = normaliseUuid(ident)
  const matches = uuid === undefined ? await registries.byName(ident, scope) : [await registries.byUuid(uuid, scope)]
  const [first, ...others] = matches
  if (first === undefined) throw registryNotFound(ident)
  if (others.length > 0) {
    throw new Conflict(
      `Multiple registries exist with name '${ident.slice(0, 255)}'. Please use the registry uuid instead.`,
    )
  }
  return first
}

export function registryNotFound(ident: string): NotFound {
  return new NotFound(`Registry ${ident.slice(0, 255)} could not be found.`, NOT_FOUND_CODE)
}

/** What rules about it may name. */
export function registryTarget(registry: Registry) {
  return {
    project_id: registry.projectId,
    user_id: registry.userId,
    uuid: registry.uuid,
    name: registry.name,
    domain: registry.domain,
    username: registry.username,
  }
}
