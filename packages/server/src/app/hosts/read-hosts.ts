import { NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { ContainerReads, Host, HostReads, Page, Usage } from '../../orchestration/ports/store.ts'
import type { HostInventory } from '../../orchestration/ports/wire.ts'
import type { RequestContext } from '../context.ts'
import { pageOf, type PageOrder } from '../page.ts'
import type { Policy } from '../ports/policy.ts'

export interface ReadHostsDeps {
  readonly store: { readonly hosts: HostReads; readonly containers: ContainerReads }
  readonly policy: Policy
}

/** A host with what it has and what is asked of it. */
export interface HostState {
  readonly uuid: string
  readonly hostname: string
  readonly has: HostInventory
  readonly used: Usage
}

const NOT_FOUND = 'compute-node-not-found'

const ORDER: PageOrder<HostState> = {
  id: (host) => host.uuid,
  notFoundCode: NOT_FOUND,
  keys: {
    hostname: (host) => host.hostname,
    uuid: (host) => host.uuid,
    mem_total: (host) => host.has.memTotalMiB,
    mem_used: (host) => host.used.memoryMiB,
    cpus: (host) => host.has.cpus,
    cpu_used: (host) => host.used.cpu,
    disk_total: (host) => host.has.diskTotalGiB,
    disk_used: (host) => host.used.diskGiB,
    total_containers: (host) => host.has.totalContainers,
    architecture: (host) => host.has.architecture,
    os_type: (host) => host.has.osType,
    os: (host) => host.has.os,
    kernel_version: (host) => host.has.kernelVersion,
  },
}

/** A host is listed from the first time on that it said what it has. */
export async function listHosts(deps: ReadHostsDeps, ctx: RequestContext, page: Page): Promise<HostState[]> {
  deps.policy.authorize('host:get_all', ctx)
  const used = await deps.store.containers.usageOfHosts()
  const hosts = await deps.store.hosts.list()
  const states = hosts.flatMap((host) => stateOf(host, used.get(host.name) ?? NOTHING_USED) ?? [])
  return pageOf(states, page, ORDER)
}

/** By uuid in any spelling, else by name. */
export async function showHost(deps: ReadHostsDeps, ctx: RequestContext, ident: string): Promise<HostState> {
  deps.policy.authorize('host:get', ctx)
  const { hosts } = deps.store
  const uuid = normaliseUuid(ident)
  const found = (uuid === undefined ? undefined : await hosts.byUuid(uuid)) ?? (await hosts.byName(ident))
  const used = found === undefined ? NOTHING_USED : await deps.store.containers.usageOfHost(found.name)
  const state = found === undefined ? undefined : stateOf(found, used)
  if (state === undefined) throw new NotFound(`Compute node ${ident.slice(0, 255)} could not be found.`, NOT_FOUND)
  return state
}

const NOTHING_USED: Usage = { containers: 0, cpu: 0, memoryMiB: 0, diskGiB: 0 }

function stateOf(host: Host, used: Usage): HostState | undefined {
  if (host.inventory === null) return undefined
  return { uuid: host.uuid, hostname: host.name, has: host.inventory, used }
}
