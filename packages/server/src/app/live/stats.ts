import type { StatsSample } from '../../orchestration/ports/engine.ts'
import type { RequestContext } from '../context.ts'
import { locate, type LiveDeps } from './locate.ts'

const MIB = 1024 * 1024

/** Keys exactly as clients print them. */
export interface Stats {
  readonly CONTAINER: string
  readonly 'CPU %': number
  readonly 'MEM USAGE(MiB)': number
  readonly 'MEM LIMIT(MiB)': number
  readonly 'MEM %': number
  readonly 'BLOCK I/O(B)': string
  readonly 'NET I/O(B)': string
}

export async function readStats(deps: LiveDeps, ctx: RequestContext, ident: string): Promise<Stats> {
  const { container, host } = await locate(deps, ctx, ident, 'stats')
  return toStats(
    container.name ?? container.uuid,
    await deps.gateway.stats(host, container.uuid, { signal: ctx.signal }),
  )
}

export function toStats(name: string, sample: StatsSample): Stats {
  return {
    CONTAINER: name,
    'CPU %': cpuPercent(sample),
    'MEM USAGE(MiB)': sample.memUsageBytes / MIB,
    'MEM LIMIT(MiB)': sample.memLimitBytes / MIB,
    'MEM %': sample.memLimitBytes > 0 ? (sample.memUsageBytes / sample.memLimitBytes) * 100 : 0,
    'BLOCK I/O(B)': `${sample.blockReadBytes}/${sample.blockWriteBytes}`,
    'NET I/O(B)': `${sample.netRxBytes}/${sample.netTxBytes}`,
  }
}

/** Share of one core's time between the two samples: two busy cores are 200. */
function cpuPercent(sample: StatsSample): number {
  const used = sample.cpuTotalNs - sample.previousCpuTotalNs
  const passed = sample.cpuSystemNs - sample.previousCpuSystemNs
  return used > 0 && passed > 0 ? (used / passed) * sample.onlineCpus * 100 : 0
}
