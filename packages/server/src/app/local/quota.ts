import { QuotaExceeded } from '../../domain/errors.ts'
import type { LocalNetworkReads, LocalVolumeReads } from '../../orchestration/ports/store.ts'
import type { LocalQuota } from '../options.ts'

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
