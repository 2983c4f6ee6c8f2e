/** More or less of its host for a container that is there already (scheduler 7.3). */
import type { Allocation, ContainerSpec } from '@zund/contract/link/container.ts'
import { growCpuset } from './cpuset.ts'
import type { HostView } from './types.ts'

export interface Size {
  readonly cpu: number
  readonly memoryMiB: number
}

/** Sums of fractions of cores are compared with this much tolerance. */
const TOLERANCE = 1e-6

/**
 * What it holds until the resize has come to its end: the larger of both sizes, because it may fail. Or, as texts, what
 * the host is short of; unlike a new container it may have what is reserved.
 */
export function grow(host: HostView, held: Allocation, to: Size): Allocation | readonly string[] {
  const { cpus, memTotalMiB, allocation } = host.has
  const more = { cpu: to.cpu - held.cpu, memoryMiB: to.memoryMiB - held.memoryMiB }
  const short = [
    ...shortage('memory', memTotalMiB * allocation.ramRatio - host.used.memoryMiB, more.memoryMiB, 'MB'),
    ...shortage('vcpu', cpus * allocation.cpuRatio - host.used.cpu, more.cpu, 'vcpu'),
  ]
  const cpuset = held.cpuset === null ? null : growCpuset(host, held.cpuset, to.cpu, more.memoryMiB)
  if (short.length > 0) return short
  if (typeof cpuset === 'string') return [cpuset]
  return {
    ...held,
    cpu: Math.max(held.cpu, to.cpu),
    memoryMiB: Math.max(held.memoryMiB, to.memoryMiB),
    cpuset,
  }
}

export function insufficient(short: readonly string[]): string {
  return `Insufficient compute resources: ${short.join('; ')}.`
}

function shortage(type: string, free: number, requested: number, unit: string): string[] {
  if (requested <= 0 || requested <= free + TOLERANCE) return []
  const shown = (n: number): string => String(Math.round(Math.max(0, n) * 1000) / 1000)
  return [`Free ${type} ${shown(free)} ${unit} < requested ${shown(requested)} ${unit}`]
}

/** What it holds when a resize has ended: what it has, and what those still under way may come to. */
export function heldAfter(held: Allocation, spec: ContainerSpec, underWay: readonly Partial<Size>[]): Allocation {
  const cpu = Math.max(spec.cpu, ...underWay.map((to) => to.cpu ?? 0))
  const memoryMiB = Math.max(spec.memoryMiB, ...underWay.map((to) => to.memoryMiB ?? 0))
  // Cores are added at the end and given up from the end, so the first ones are always those it had before.
  const cpuset = held.cpuset === null ? null : { ...held.cpuset, cpus: held.cpuset.cpus.slice(0, cpu) }
  return { ...held, cpu, memoryMiB, cpuset }
}
