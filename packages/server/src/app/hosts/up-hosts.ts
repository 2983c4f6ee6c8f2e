import type { HostReads } from '../../orchestration/ports/store.ts'
import { isUp, type LivenessOptions } from '../../orchestration/scheduling/host-views.ts'

/** Hosts that can be asked something, those that take new containers first. */
export async function upHosts(hosts: HostReads, options: LivenessOptions): Promise<string[]> {
  const up = (await hosts.list()).filter((host) => isUp(host, options))
  return up.sort((a, b) => Number(a.disabled) - Number(b.disabled)).map((host) => host.name)
}
