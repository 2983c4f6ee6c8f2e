/** Hosts that exist only as what the scheduler knows of them. */
import type { HostView, Wanted } from '../../src/domain/scheduling/types.ts'
import type { HostInventory } from '../../src/orchestration/ports/wire.ts'
import { anInventory } from './builders.ts'

export function aHostView(patch: Partial<Omit<HostView, 'has'>> & { has?: Partial<HostInventory> } = {}): HostView {
  return {
    name: 'h1',
    availabilityZone: 'nova',
    up: true,
    disabled: false,
    used: { containers: 0, cpu: 0, memoryMiB: 0, diskGiB: 0 },
    exclusive: [],
    ...patch,
    has: anInventory(patch.has),
  }
}

/** Nothing but a place: every host will do. */
export function aWanted(patch: Partial<Wanted> = {}): Wanted {
  return {
    uuid: '00000000-0000-4000-8000-000000000001',
    cpu: 0,
    memoryMiB: 0,
    diskGiB: 0,
    cpuPolicy: 'shared',
    runtime: null,
    availabilityZone: null,
    hints: {},
    host: null,
    pciRequests: [],
    refusedBy: [],
    ...patch,
  }
}

/** `h0`, `h1` …, each as `patchOf` has it. */
export function aFleet(size: number, patchOf: (n: number) => Parameters<typeof aHostView>[0] = () => ({})): HostView[] {
  return Array.from({ length: size }, (_, n) => aHostView({ name: `h${n}`, ...patchOf(n) }))
}
