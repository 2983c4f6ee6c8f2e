import type { StatsSample } from '../../orchestration/ports/engine.ts'

interface CpuStats {
  readonly cpu_usage?: { readonly total_usage?: number; readonly percpu_usage?: number[] | null }
  readonly system_cpu_usage?: number
  readonly online_cpus?: number
}

/** The part of `GET /containers/ID/stats` that is used. Fields differ by cgroup version and may be missing or null. */
export interface StatsAnswer {
  readonly cpu_stats?: CpuStats
  readonly precpu_stats?: CpuStats
  readonly memory_stats?: {
    readonly usage?: number
    readonly limit?: number
    readonly stats?: Record<string, number> | null
  }
  readonly blkio_stats?: { readonly io_service_bytes_recursive?: { op: string; value: number }[] | null }
  readonly networks?: Record<string, { rx_bytes?: number; tx_bytes?: number }> | null
}

export function toStatsSample(answer: StatsAnswer): StatsSample {
  const { memory_stats: memory, cpu_stats: cpu, precpu_stats: before } = answer
  // cgroup v1 calls it total_inactive_file.
  const inactive = memory?.stats?.['total_inactive_file'] ?? memory?.stats?.['inactive_file'] ?? 0
  const networks = Object.values(answer.networks ?? {})
  return {
    cpuTotalNs: cpu?.cpu_usage?.total_usage ?? 0,
    cpuSystemNs: cpu?.system_cpu_usage ?? 0,
    previousCpuTotalNs: before?.cpu_usage?.total_usage ?? 0,
    previousCpuSystemNs: before?.system_cpu_usage ?? 0,
    onlineCpus: cpu?.online_cpus ?? cpu?.cpu_usage?.percpu_usage?.length ?? 1,
    memUsageBytes: Math.max(0, (memory?.usage ?? 0) - inactive),
    memLimitBytes: memory?.limit ?? 0,
    blockReadBytes: blockBytes(answer, 'read'),
    blockWriteBytes: blockBytes(answer, 'write'),
    netRxBytes: networks.reduce((sum, n) => sum + (n.rx_bytes ?? 0), 0),
    netTxBytes: networks.reduce((sum, n) => sum + (n.tx_bytes ?? 0), 0),
  }
}

function blockBytes(answer: StatsAnswer, op: string): number {
  const entries = answer.blkio_stats?.io_service_bytes_recursive ?? []
  return entries.filter((entry) => entry.op.toLowerCase() === op).reduce((sum, entry) => sum + entry.value, 0)
}
