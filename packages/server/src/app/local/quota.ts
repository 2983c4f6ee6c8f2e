import { QuotaExceeded } from '../../domain/errors.ts'
import type { LocalNetworkReads, LocalVolumeReads } from '../../orchestration/ports/store.ts'

/** What one project may have of the built-in network and volume services; -1 is unlimited. */
export interface LocalQuota {
  readonly networks: number
  readonly volumes: number
  /** GiB of all volumes together. */
  readonly volumeGiB: number
  /** GiB of a single volume. */
  readonly largestVolumeGiB: number
}

/** Every network costs a bridge and firewall rules on the host, every volume reserved space of its disk. */
export const DEFAULT_LOCAL_QUOTA: LocalQuota = { networks: 10, volumes: 20, volumeGiB: 100, largestVolumeGiB: 100 }

export async function requireNetworkQuota(
  networks: LocalNetworkReads,
  projectId: string,
  quota: LocalQuota,
): Promise<void> {
  const there = await networks.list({ kind: 'project', projectId })
  requireWithin('networks', there.length + 1, quota.networks)
}

/** Volumes that come and go with a container count like the others. */
export async function requireVolumeQuota(
  volumes: LocalVolumeReads,
  projectId: string,
  sizeGiB: number,
  quota: LocalQuota,
): Promise<void> {
  const there = await volumes.list({ kind: 'project', projectId })
  requireWithin('volumes', there.length + 1, quota.volumes)
  requireWithin(
    'GiB in volumes',
    there.reduce((sum, volume) => sum + volume.sizeGiB, sizeGiB),
    quota.volumeGiB,
  )
}

function requireWithin(what: string, wanted: number, limit: number): void {
  if (limit < 0 || wanted <= limit) return
  throw new QuotaExceeded(`Quota exceeded: this would be ${wanted} ${what} of at most ${limit} for the project.`)
}
