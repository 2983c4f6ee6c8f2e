/** The password of a registry is opened here and nowhere else, when something is looked up or pulled with it. */
import type { Container } from '../../domain/container/types.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { Registry, RegistryReads } from '../../orchestration/ports/store.ts'
import type { RegistryAuth } from '../../orchestration/ports/wire.ts'
import type { Secrets } from '../ports/secrets.ts'

export interface AccessDeps {
  readonly registries: RegistryReads
  readonly secrets: Secrets
}

/** Where short names are looked for, and as whom; nulls: as the operator has it. */
export interface Access {
  readonly domain: string | null
  readonly auth: RegistryAuth | null
}

const AS_CONFIGURED: Access = { domain: null, auth: null }

/** Before a create is accepted. SystemFault when the password cannot be read. */
export async function accessOf({ registries, secrets }: AccessDeps, registryUuid: string | null): Promise<Access> {
  if (registryUuid === null) return AS_CONFIGURED
  const registry = await registries.byUuid(registryUuid, { kind: 'all' })
  return registry === undefined ? AS_CONFIGURED : { domain: registry.domain, auth: authOf(registry, secrets) }
}

/**
 * For an operation that a host claims. It never fails for the password: a claim is of several operations, and the pull
 * without credentials ends this one with a reason.
 */
export async function accessForOperation(
  deps: AccessDeps & { readonly log: Logger; readonly defaultRegistry: string | null },
  container: Container,
): Promise<Access> {
  const { registryUuid } = container.spec
  const registry = registryUuid === null ? undefined : await deps.registries.byUuid(registryUuid, { kind: 'all' })
  if (registry === undefined) return { domain: deps.defaultRegistry, auth: null }
  try {
    return { domain: registry.domain, auth: authOf(registry, deps.secrets) }
  } catch (error) {
    deps.log.error(
      { registryId: registryUuid, containerId: container.uuid, err: error },
      'registry password unreadable',
    )
    return { domain: registry.domain, auth: null }
  }
}

/** A password without a user name is not used. */
function authOf({ uuid, domain, username, sealedPassword }: Registry, secrets: Secrets): RegistryAuth | null {
  if (username === null) return null
  return {
    serverAddress: domain,
    username,
    password: sealedPassword === null ? '' : secrets.open(sealedPassword, uuid),
  }
}
