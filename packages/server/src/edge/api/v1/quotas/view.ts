import type { Quota } from '@zund/contract/api/admin.ts'
import type { QuotaLimits } from '../../../../domain/quota.ts'

/** Of a project and of a class alike; without an envelope. */
export function quotaView({ containers, memory, cpu, disk }: QuotaLimits): Quota {
  return { containers, memory, cpu, disk }
}
