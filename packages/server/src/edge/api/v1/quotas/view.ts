import type { QuotaLimits } from '../../../../domain/quota.ts'

/** Of a project and of a class alike; without an envelope. */
export function quotaView({ containers, memory, cpu, disk }: QuotaLimits): object {
  return { containers, memory, cpu, disk }
}
