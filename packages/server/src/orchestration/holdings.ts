import type { Container } from '../domain/container/types.ts'
import type { Holdings } from '../domain/operation/recipes.ts'
import type { Tx } from './ports/store.ts'

/** What the steps of an operation have to deal with; of a capsule, with all that its members hold. */
export async function holdingsOf(
  tx: Tx,
  container: Pick<Container, 'uuid' | 'kind' | 'allocation'>,
): Promise<Holdings> {
  const bindings = await tx.bindings.ofContainer(container.uuid)
  const members = container.kind === 1 ? await tx.containers.membersOf([container.uuid]) : []
  for (const { uuid } of members) bindings.push(...(await tx.bindings.ofContainer(uuid)))
  const remotePorts = bindings.filter(({ data }) => data.kind === 'port' && data.remote !== undefined).length
  return {
    ports: bindings.filter(({ data }) => data.kind === 'port').length,
    ...(remotePorts === 0 ? {} : { remotePorts }),
    mounts: bindings.filter(({ data }) => data.kind === 'mount').length,
    ...(container.allocation?.provider === undefined ? {} : { isCounted: true }),
    ...(container.kind === 1 ? { initMembers: members.filter(({ kind }) => kind === 3).length } : {}),
  }
}
