import { QuotaExceeded } from '../../domain/errors.ts'
import { QUOTA_RESOURCES, type QuotaResource } from '../../domain/quota.ts'
import type { StoreReads } from '../../orchestration/ports/store.ts'
import type { QuotaOptions } from '../options.ts'
import { limitsOfProject } from '../quotas/limits.ts'

export type Delta = Readonly<Record<QuotaResource, number>>

/** In the transaction that adds the delta, so that concurrent requests cannot both fit into the same room. */
export async function requireQuota(
  tx: Pick<StoreReads, 'containers' | 'quotas'>,
  projectId: string,
  delta: Delta,
  options: QuotaOptions,
): Promise<void> {
  if (!options.enforced) return
  const limits = await limitsOfProject(tx.quotas, projectId, options)
  const usage = await tx.containers.usageOfProject(projectId)
  const inUse = { containers: usage.containers, cpu: usage.cpu, memory: usage.memoryMiB, disk: usage.diskGiB }
  const exceeded = QUOTA_RESOURCES.toSorted().filter((name) => {
    const limit = limits[name]
    return limit >= 0 && delta[name] > 0 && inUse[name] + delta[name] > limit
  })
  if (exceeded.length === 0) return
  const detail = exceeded.map((name) => `${name}: ${inUse[name]} of ${limits[name]} used, ${delta[name]} more asked`)
  throw new QuotaExceeded(`Quota exceeded for resources: ${exceeded.join(', ')} (${detail.join('; ')})`)
}
