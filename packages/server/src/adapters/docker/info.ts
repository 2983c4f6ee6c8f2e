import type { EngineInfo } from '../../orchestration/ports/engine.ts'

/** `GET /info`, as far as it is used. */
export interface InfoAnswer {
  readonly ServerVersion: string
  readonly NCPU: number
  readonly MemTotal: number
  readonly Architecture: string
  readonly OSType: string
  readonly OperatingSystem: string
  readonly KernelVersion: string
  readonly Labels?: string[] | null
  readonly Runtimes?: Record<string, unknown> | null
  readonly DefaultRuntime?: string
  readonly DockerRootDir: string
  readonly Driver: string
  readonly DriverStatus?: [string, string][] | null
  readonly Containers: number
}

export function toEngineInfo(answer: InfoAnswer, apiVersion: string): EngineInfo {
  const driverStatus = Object.fromEntries(answer.DriverStatus ?? [])
  return {
    version: answer.ServerVersion,
    apiVersion,
    cpus: answer.NCPU,
    memTotalBytes: answer.MemTotal,
    architecture: answer.Architecture,
    osType: answer.OSType,
    os: answer.OperatingSystem,
    kernelVersion: answer.KernelVersion,
    labels: Object.fromEntries((answer.Labels ?? []).map(splitLabel)),
    runtimes: runtimesOf(answer),
    defaultRuntime: answer.DefaultRuntime ?? 'runc',
    rootDir: answer.DockerRootDir,
    storageDriver: answer.Driver,
    diskQuotaSupported: supportsDiskQuota(answer.Driver, driverStatus),
    diskBaseGiB: baseSizeGiB(driverStatus['Base Device Size']),
    totalContainers: answer.Containers,
  }
}

/** An engine that names none has the one that all of them have. */
function runtimesOf({ Runtimes }: InfoAnswer): string[] {
  const names = Object.keys(Runtimes ?? {})
  return names.length === 0 ? ['runc'] : names
}

function splitLabel(label: string): [string, string] {
  const at = label.indexOf('=')
  return at < 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)]
}

const GIB_OF: Readonly<Record<string, number>> = { MB: 1e6 / 2 ** 30, GB: 1e9 / 2 ** 30, TB: 1e12 / 2 ** 30 }

/** `10.74GB`, as devicemapper has it. */
function baseSizeGiB(text: string | undefined): number | null {
  const match = /^([\d.]+)\s*([MGT]B)$/.exec(text ?? '')
  const unit = GIB_OF[match?.[2] ?? '']
  return match === null || unit === undefined ? null : Math.ceil(Number(match[1]) * unit)
}

function supportsDiskQuota(driver: string, status: Readonly<Record<string, string>>): boolean {
  // On xfs project quotas must be on besides, which only the host can tell.
  if (driver === 'overlay2') return status['Backing Filesystem'] === 'xfs'
  return ['devicemapper', 'windowsfilter', 'zfs', 'btrfs'].includes(driver)
}
