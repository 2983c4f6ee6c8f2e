import type { Resources } from './client.ts'

export interface Amounts {
  readonly cpu: number
  readonly memoryMiB: number
  readonly diskGiB: number
}

/** In Placement's classes, which have whole numbers only, and of which everybody takes at least one core and MiB. */
export function resourcesFor({ cpu, memoryMiB, diskGiB }: Amounts): Resources {
  return {
    VCPU: Math.max(1, Math.ceil(cpu)),
    MEMORY_MB: Math.max(1, Math.ceil(memoryMiB)),
    ...(diskGiB > 0 ? { DISK_GB: Math.ceil(diskGiB) } : {}),
  }
}

export function isSame(a: Resources, b: Resources): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => a[name] === b[name])
}
