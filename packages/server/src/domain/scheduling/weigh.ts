import { freeOf } from './capacity.ts'
import type { HostView } from './types.ts'

/** `spread`: the emptiest host first. `pack`: the fullest that still fits, so that others can be switched off. */
export const WEIGHERS = ['spread', 'pack'] as const
export type Weigher = (typeof WEIGHERS)[number]

/**
 * Best first. Free memory and free cores count alike, each as a share of what the freest host has of it. Between equals
 * the number of containers decides, and then a number made of both names: the same each time for one container, another
 * host for the next.
 */
export function weigh(hosts: readonly HostView[], weigher: Weigher, uuid: string): HostView[] {
  const rows = hosts.map((host) => ({ host, free: freeOf(host), lot: lotOf(uuid, host.name) }))
  const mostCpu = Math.max(1, ...rows.map(({ free }) => free.cpu))
  const mostMemory = Math.max(1, ...rows.map(({ free }) => free.memoryMiB))
  const freedom = ({ free }: (typeof rows)[number]): number => free.cpu / mostCpu + free.memoryMiB / mostMemory
  const direction = weigher === 'spread' ? 1 : -1
  return rows
    .map((row) => ({ ...row, freedom: freedom(row) }))
    .sort(
      (a, b) =>
        direction * (b.freedom - a.freedom) ||
        direction * (a.host.used.containers - b.host.used.containers) ||
        a.lot - b.lot,
    )
    .map(({ host }) => host)
}

/** In an order that is another one for each uuid. */
export function byLot(hosts: readonly HostView[], uuid: string): HostView[] {
  return hosts
    .map((host) => ({ host, lot: lotOf(uuid, host.name) }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ host }) => host)
}

/** FNV-1a, 32 bits, stirred once more: names that differ at their end only must not come out in order. */
function lotOf(uuid: string, host: string): number {
  let hash = 0x811c9dc5
  for (const character of `${uuid}/${host}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
