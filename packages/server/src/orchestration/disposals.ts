/**
 * Deleting what a host holds: the record stays, marked, until each host that may hold a part of it has removed that. So a
 * deletion outlives any process, and nothing that is still there can be forgotten or given away.
 */
import type { Tx } from './ports/store.ts'
import type { Binding, Disposal } from './ports/wire.ts'

/** What has a record of its own. */
type Recorded = Disposal & { readonly kind: 'network' | 'volume' }

/** Marks it, and says which hosts have work. Without any the record goes at once. */
export async function dispose(tx: Tx, disposal: Recorded, hosts: readonly string[]): Promise<void> {
  const { kind, uuid } = disposal
  await (kind === 'network' ? tx.networks : tx.volumes).markDeleting(uuid)
  for (const host of hosts) await tx.disposals.insert(disposal, host)
  if (hosts.length === 0) await removeRecord(tx, kind, uuid)
}

/**
 * What a container that is about to be forgotten still has mounted, because it could not be given back. Each volume once:
 * several members of a capsule may have it. A local volume that outlives its container is not held by anybody.
 */
export async function disposeMounts(tx: Tx, bindings: readonly Binding[], host: string): Promise<void> {
  const volumes = new Set<string>()
  for (const { uuid, data } of bindings) {
    if (data.kind !== 'mount' || volumes.has(data.volumeUuid)) continue
    volumes.add(data.volumeUuid)
    if (data.provider !== 'volume') {
      await tx.disposals.insert({ kind: 'mount', uuid, mount: { ...data, contents: null } }, host)
    } else if (data.autoRemove) await dispose(tx, { kind: 'volume', uuid: data.volumeUuid }, [host])
  }
}

/** One host has done its part; the record goes with the last one. */
export async function disposed(tx: Tx, uuid: string, host: string): Promise<void> {
  const mine = (await tx.disposals.onHost(host)).find((disposal) => disposal.uuid === uuid)
  if (mine === undefined) return
  await tx.disposals.remove(uuid, host)
  if ((await tx.disposals.hostsOf(uuid)).length === 0) await removeRecord(tx, mine.kind, uuid)
}

async function removeRecord(tx: Tx, kind: Disposal['kind'], uuid: string): Promise<void> {
  if (kind === 'network') await tx.networks.remove(uuid)
  if (kind === 'volume') await tx.volumes.remove(uuid)
}
