import { DEFAULT_CLASS, UNLIMITED, type QuotaLimits } from '../../domain/quota.ts'
import type { QuotaReads } from '../../orchestration/ports/store.ts'
import type { QuotaOptions } from '../options.ts'

/** Of a project: its own, else those of the default class, else the configuration's. */
export async function limitsOfProject(
  quotas: QuotaReads,
  projectId: string,
  options: QuotaOptions,
): Promise<QuotaLimits> {
  if (!options.enforced) return UNLIMITED
  return {
    ...(await limitsOfClass(quotas, DEFAULT_CLASS, options)),
    ...(await quotas.limitsOf(['project', projectId])),
  }
}

/** A class that nobody has set anything for is no error: it has what the configuration says. */
export async function limitsOfClass(quotas: QuotaReads, name: string, options: QuotaOptions): Promise<QuotaLimits> {
  if (!options.enforced) return UNLIMITED
  const { containers, memory, cpu, disk } = options
  return { containers, memory, cpu, disk, ...(await quotas.limitsOf(['class', name])) }
}
