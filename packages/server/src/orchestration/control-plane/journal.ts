/** What steps report, as rows. */
import { addressesOf, attachedAddresses } from '../../domain/container/addresses.ts'
import { taskStateOf } from '../../domain/operation/recipes.ts'
import type { Operation } from '../../domain/operation/types.ts'
import type { ContainerPatch, Tx } from '../ports/store.ts'
import type { BindingChange, StepEntry } from '../ports/wire.ts'
import { noteStop } from './stops.ts'

/** Writes the journal and says what of the container's row follows from it. */
export async function applyEntries(tx: Tx, op: Operation, entries: readonly StepEntry[]): Promise<ContainerPatch> {
  let patch: ContainerPatch = {}
  for (const entry of entries) {
    switch (entry.kind) {
      case 'started':
        await tx.operations.stepStarted(op.id, entry.step, entry.mark ?? null)
        patch = { ...patch, taskState: taskStateOf(op.verb, entry.step), progress: null }
        break
      case 'finished':
        await tx.operations.stepEnded(op.id, entry.step, { state: 'finished', output: entry.output ?? null })
        if (entry.seen !== undefined) {
          // What runs for the first time has not ended before: no need to ask.
          if (entry.seen.finishedAtMs !== null || op.verb === 'rebuild') {
            const before = patch.observed ?? (await tx.containers.byUuid(op.containerUuid, { kind: 'all' }))?.observed
            await noteStop(tx, op.containerUuid, { before: before ?? null, seen: entry.seen }, op)
          }
          patch = { ...patch, observed: entry.seen }
        }
        if (entry.bindings !== undefined) patch = { ...patch, ...(await applyBindings(tx, op, entry.bindings)) }
        if (op.verb === 'commit') await recordCommit(tx, op, entry.output)
        // It is whole, and its owner's.
        if (entry.step === 'uploadSnapshot' && op.params.imageUuid !== undefined) {
          await tx.advances.remove(op.params.imageUuid)
        }
        break
      case 'failed':
        await tx.operations.stepEnded(op.id, entry.step, { state: 'failed', message: entry.message })
        break
      case 'progress':
        patch = { ...patch, progress: entry.detail }
        await tx.operations.stepProgress(op.id, entry.step, { detail: entry.detail, pull: entry.pull ?? null })
        break
      default:
        entry satisfies never
    }
  }
  return patch
}

export async function applyBindings(tx: Tx, op: Operation, changes: readonly BindingChange[]): Promise<ContainerPatch> {
  const shown = op.verb === 'create' ? addressesOf : attachedAddresses
  let portsChanged = false
  let openGroup: string | null = null
  for (const change of changes) {
    if (change.state !== 'gone') {
      await tx.bindings.setState(change.uuid, change.state)
      if (change.data !== undefined) await tx.bindings.setData(change.uuid, change.data)
      if (change.state === 'held') portsChanged = true
      if (change.data?.kind === 'port') {
        portsChanged = true
        openGroup ??= change.data.remote?.openGroup ?? null
      }
      continue
    }
    const found = await tx.bindings.byUuid(change.uuid)
    if (found === undefined) continue
    await tx.bindings.remove(change.uuid)
    const { data } = found.binding
    if (data.kind === 'port') portsChanged = true
    else if (data.provider === 'volume' && data.autoRemove) await tx.volumes.remove(data.volumeUuid)
  }
  return {
    ...(portsChanged ? { addresses: shown(await tx.bindings.ofContainer(op.containerUuid)) } : {}),
    ...(openGroup === null ? {} : await withGroup(tx, op, openGroup)),
  }
}

/** The group that opens a container's ports is its own, and shown first. */
async function withGroup(tx: Tx, op: Operation, group: string): Promise<ContainerPatch> {
  const container = await tx.containers.byUuid(op.containerUuid, { kind: 'all' })
  if (container === undefined || container.spec.securityGroups.includes(group)) return {}
  const securityGroups = [group, ...container.spec.securityGroups]
  return { spec: { ...container.spec, securityGroups } }
}

async function recordCommit(tx: Tx, op: Operation, output: unknown): Promise<void> {
  if (op.params.imageUuid === undefined || typeof output !== 'object' || output === null) return
  const { imageId, sizeBytes } = output as { imageId?: unknown; sizeBytes?: unknown }
  if (typeof imageId !== 'string') return
  const record = await tx.images.byUuid(op.params.imageUuid, { kind: 'all' })
  await tx.images.update(op.params.imageUuid, {
    imageId,
    sizeBytes: typeof sizeBytes === 'number' ? sizeBytes : null,
    // Its deletion may have been asked for meanwhile.
    ...(record?.pending === 'commit' ? { pending: null } : {}),
  })
}
