import type { Container } from '../../domain/container/types.ts'
import type { Operation } from '../../domain/operation/types.ts'
import type { ContainerPatch, Tx } from '../ports/store.ts'
import type { BindingChange } from '../ports/wire.ts'
import { applyBindings } from './journal.ts'

/**
 * Of a create that has come to nothing: ports that its container has no longer, until it is rebuilt. `patch` is what is
 * known of its row so far.
 */
export async function givenBack(
  tx: Tx,
  op: Operation,
  container: Container,
  patch: ContainerPatch,
  changes: readonly BindingChange[],
): Promise<ContainerPatch> {
  const groups = new Set<string>()
  for (const { uuid } of changes) {
    const { data } = (await tx.bindings.byUuid(uuid))?.binding ?? {}
    const group = data?.kind === 'port' ? (data.remote?.openGroup ?? null) : null
    if (group !== null) groups.add(group)
  }
  const shown = { ...patch, ...(await applyBindings(tx, op, changes)) }
  if (groups.size === 0) return shown
  const spec = shown.spec ?? container.spec
  return { ...shown, spec: { ...spec, securityGroups: spec.securityGroups.filter((id) => !groups.has(id)) } }
}
