/** Cores that one container has to itself (`cpu_policy` dedicated). */
import type { Cpuset } from '@zund/contract/link/container.ts'
import type { HostView, Wanted } from './types.ts'

/** The first NUMA node with enough free cores and memory; undefined: none, or the host gives no cores away. */
export function claimCpuset(host: HostView, wanted: Pick<Wanted, 'cpu' | 'memoryMiB'>): Cpuset | undefined {
  const count = Math.trunc(wanted.cpu)
  if (!host.has.enableCpuPinning || count < 1) return undefined
  const pinned = pinnedOn(host)
  for (const node of host.has.numaNodes) {
    const free = node.cpus.filter((cpu) => !pinned.has(cpu))
    if (free.length < count || node.memTotalMiB - memoryUsedOf(node.id, host) < wanted.memoryMiB) continue
    return { cpus: free.slice(0, count), mems: [node.id] }
  }
  return undefined
}

/** Cores of the same node in addition, or a text that says what is missing. Fewer are given up only when it is done. */
export function growCpuset(host: HostView, held: Cpuset, cpu: number, moreMemoryMiB: number): Cpuset | string {
  const node = host.has.numaNodes.find(({ id }) => held.mems.includes(id))
  const pinned = pinnedOn(host)
  const free = node?.cpus.filter((one) => !pinned.has(one)) ?? []
  const more = Math.max(0, Math.trunc(cpu) - held.cpus.length)
  if (more > free.length) return `Free cpuset_cpu ${free.length} cores < requested ${more} cores`
  const freeMiB = node === undefined ? 0 : node.memTotalMiB - memoryUsedOf(node.id, host)
  if (moreMemoryMiB > Math.max(0, freeMiB)) {
    return `Free cpuset_mem ${Math.max(0, freeMiB)} MB < requested ${moreMemoryMiB} MB`
  }
  return { ...held, cpus: [...held.cpus, ...free.slice(0, more)] }
}

function pinnedOn({ exclusive }: HostView): ReadonlySet<number> {
  return new Set(exclusive.flatMap(({ cpuset }) => cpuset?.cpus ?? []))
}

function memoryUsedOf(nodeId: number, { exclusive }: HostView): number {
  return exclusive
    .filter(({ cpuset }) => cpuset?.mems.includes(nodeId) === true)
    .reduce((sum, { memoryMiB }) => sum + memoryMiB, 0)
}

/** A list as the kernel writes it, `0-2,7`. Throws an Error that says what is wrong. */
export function parseCpuList(text: string): number[] {
  const cpus = new Set<number>()
  for (const part of text.split(',').map((item) => item.trim())) {
    if (part === '') continue
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part)
    if (match === null) throw new Error(`'${part}' is not a core or a range of cores such as 1-4`)
    const first = Number(match[1])
    const last = Number(match[2] ?? first)
    if (last < first) throw new Error(`'${part}' ends before it begins`)
    for (let cpu = first; cpu <= last; cpu += 1) cpus.add(cpu)
  }
  return [...cpus].sort((a, b) => a - b)
}
