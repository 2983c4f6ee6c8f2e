import { QuotaExceeded } from '../../domain/errors.ts'
import type { ContainerReads } from '../../orchestration/ports/store.ts'
import type { QuotaOptions } from '../options.ts'

export interface Delta {
  readonly containers: number
  readonly cpu: number
  readonly memory: number
  readonly disk: number
}

const RESOURCES = ['containers', 'cpu', 'disk', 'memory'] as const

/** Sums of floats are compared with this much tolerance, relative to the limit. */
const TOLERANCE = 1e-6

/** In the transaction that adds the delta, so that concurrent requests cannot both fit into the same room. */
export async function requireQuota(
  containers: ContainerReads,
  projectId: string,
  delta: Delta,
  quota: QuotaOptions,
): Promise<void> {
  if (!quota.enforced) return
  const usage = await containers.usageOfProject(projectId)
  const inUse = { containers: usage.containers, cpu: usage.cpu, memory: usage.memoryMiB, disk: usage.diskGiB }
  const exceeded = RESOURCES.filter((name) => {
    const limit = quota[name]
    return limit >= 0 && delta[name] > 0 && inUse[name] + delta[name] > limit * (1 + TOLERANCE)
  })
  if (exceeded.length === 0) return
  const detail = exceeded.map((name) => `${name}: ${inUse[name]} of ${quota[name]} used, ${delta[name]} more asked`)
  throw new QuotaExceeded(`Quota exceeded for resources: ${exceeded.join(', ')} (${detail.join('; ')})`)
}
