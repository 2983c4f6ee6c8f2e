import type { HostView } from '../../domain/scheduling/filters.ts'
import type { ContainerReads, Host, HostReads } from '../../orchestration/ports/store.ts'
import type { AppOptions } from '../options.ts'

export type LivenessOptions = Pick<AppOptions, 'serviceDownTimeS' | 'engineGraceMs'>

/** Heard of lately, not forced down, and its engine answers or has only just stopped to. */
export function isUp(host: Host, options: LivenessOptions): boolean {
  return (
    !host.forcedDown &&
    host.silentMs <= options.serviceDownTimeS * 1000 &&
    host.engineTroubleMs <= options.engineGraceMs
  )
}

export async function hostViews(
  reads: { readonly hosts: HostReads; readonly containers: ContainerReads },
  options: LivenessOptions,
): Promise<HostView[]> {
  const views: HostView[] = []
  for (const host of await reads.hosts.list()) {
    const used = await reads.containers.usageOfHost(host.name)
    views.push({
      name: host.name,
      availabilityZone: host.availabilityZone,
      up: isUp(host, options) && host.inventory !== null,
      disabled: host.disabled,
      runtimes: host.inventory?.runtimes ?? [],
      labels: host.inventory?.labels ?? {},
      enableCpuPinning: host.inventory?.enableCpuPinning ?? false,
      cpus: host.inventory?.cpus ?? 0,
      memTotalMiB: host.inventory?.memTotalMiB ?? 0,
      cpuUsed: used.cpu,
      memUsedMiB: used.memoryMiB,
    })
  }
  return views
}
