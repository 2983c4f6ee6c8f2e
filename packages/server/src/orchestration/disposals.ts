/**
 * Deleting what a host holds: the record stays, marked, until each host that may hold a part of it has removed that. So a
 * deletion outlives any process, and nothing that is still there can be forgotten or given away.
 */
import type { Tx } from './ports/store.ts'
import type { Disposal } from './ports/wire.ts'

/** Marks it, and says which hosts have work. Without any the record goes at once. */
export async function dispose(tx: Tx, disposal: Disposal, hosts: readonly string[]): Promise<void> {
  const { kind, uuid } = disposal
  await (kind === 'network' ? tx.networks : tx.volumes).markDeleting(uuid)
  for (const host of hosts) await tx.disposals.insert(disposal, host)
  if (hosts.length === 0) await removeRecord(tx, kind, uuid)
}

/** One host has done its part; the record goes with the last one. */
export async function disposed(tx: Tx, uuid: string, host: string): Promise<void> {
  const mine = (await tx.disposals.onHost(host)).find((disposal) => disposal.uuid === uuid)
  if (mine === undefined) return
  await tx.disposals.remove(uuid, host)
  if ((await tx.disposals.hostsOf(uuid)).length === 0) await removeRecord(tx, mine.kind, uuid)
}

async function removeRecord(tx: Tx, kind: Disposal['kind'], uuid: string): Promise<void> {
  await (kind === 'network' ? tx.networks : tx.volumes).remove(uuid)
}
