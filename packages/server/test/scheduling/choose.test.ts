import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anAllocation } from '../support/builders.ts'
import { aFleet, aHostView, aWanted } from '../support/fleet.ts'
import { chooseHost, noHostReason, type SchedulerOptions } from '../../src/domain/scheduling/choose.ts'
import type { HostView, Wanted } from '../../src/domain/scheduling/types.ts'

const options: SchedulerOptions = {
  driver: 'filter_scheduler',
  filters: ['AvailabilityZoneFilter', 'ComputeFilter', 'RuntimeFilter'],
  weigher: 'spread',
}

function chosen(hosts: readonly HostView[], wanted: Partial<Wanted> = {}, patch: Partial<SchedulerOptions> = {}) {
  const choice = chooseHost(hosts, aWanted(wanted), { ...options, ...patch })
  return choice.kind === 'host' ? choice.host.name : noHostReason(choice.removed)
}

const filled = (memoryMiB: number, containers = 1) => ({ used: { containers, cpu: 0, memoryMiB, diskGiB: 0 } })
const uuids = Array.from({ length: 1000 }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`)

describe('the count of a cloud', () => {
  it('takes away every host that it does not offer, or does not know', () => {
    const fleet = aFleet(4, (n) => (n === 3 ? {} : { has: { resourceProvider: { uuid: `rp${n}`, isShared: false } } }))
    assert.equal(chosen(fleet, { candidates: new Set(['rp2', 'rp9']) }), 'h2')
    assert.equal(
      chosen(fleet, { candidates: new Set(), host: 'h1' }),
      'There are not enough hosts available. (RequestedHost removed 3, AllocationCandidates removed 1)',
    )
    const choice = chooseHost(fleet, aWanted({ candidates: new Set(['rp1']) }), options)
    assert.equal(choice.kind === 'host' ? choice.allocation.provider : '', 'rp1')
  })
})

describe('what removed the hosts', () => {
  it('is counted by filter, in their order, up to the first that leaves none', () => {
    const fleet = aFleet(1000, (n) => ({ availabilityZone: n % 2 === 0 ? 'east' : 'west', up: n % 10 !== 0 }))
    const wanted = { availabilityZone: 'east', runtime: 'kata' }
    const text = 'There are not enough hosts available.'
    assert.equal(
      chosen(fleet, wanted),
      `${text} (AvailabilityZoneFilter removed 500, ComputeFilter removed 100, RuntimeFilter removed 400)`,
    )
    assert.equal(
      chosen(fleet, wanted, { filters: ['ComputeFilter', 'AvailabilityZoneFilter', 'RuntimeFilter'] }),
      `${text} (ComputeFilter removed 100, AvailabilityZoneFilter removed 500, RuntimeFilter removed 400)`,
    )
    assert.equal(
      chosen(fleet, { ...wanted, host: 'h1' }),
      `${text} (RequestedHost removed 999, AvailabilityZoneFilter removed 1)`,
    )
    assert.equal(
      chosen(fleet, { availabilityZone: 'west', runtime: 'kata', refusedBy: ['h1', 'h3'] }),
      `${text} (RefusedBefore removed 2, AvailabilityZoneFilter removed 500, RuntimeFilter removed 498)`,
    )
    assert.equal(chosen([]), `${text} (no compute host is registered)`)
  })

  it('is counted by what a host is short of, although no filter is on', () => {
    const none = { filters: [] }
    const rows: readonly [Parameters<typeof aHostView>[0], Partial<Wanted>, string][] = [
      [{ used: { containers: 1, cpu: 127.9, memoryMiB: 0, diskGiB: 0 } }, { cpu: 0.2 }, 'VCPU removed 3'],
      [filled(23_000), { memoryMiB: 512 }, 'MEMORY_MB removed 3'],
      [{ has: { diskQuotaSupported: true } }, { diskGiB: 401 }, 'DISK_GB removed 3'],
      [{}, { diskGiB: 1 }, 'DISK_QUOTA removed 3: no support for disk quotas'],
      [
        { has: { diskQuotaSupported: true, diskBaseGiB: 10 } },
        { diskGiB: 9 },
        'DISK_BASE removed 3: every disk there is larger',
      ],
      [{}, { cpu: 1, cpuPolicy: 'dedicated' }, 'CPUSET removed 3: no free cores to dedicate on one NUMA node'],
      [{}, { pciRequests: [{ count: 1, spec: [{ vendor_id: '8086' }] }] }, 'PCI_DEVICE removed 3'],
    ]
    for (const [host, wanted, reason] of rows) {
      const fleet = aFleet(3, () => host)
      assert.equal(chosen(fleet, wanted, none), `There are not enough hosts available. (${reason})`)
    }
  })
})

describe('the room of a host', () => {
  // 8 cores, 16000 MiB, 400 GiB; ratios 16, 1.5, 1; 512 MiB reserved.
  it('ends where ratio and reserve say', () => {
    const room = (wanted: Partial<Wanted>, has: Parameters<typeof aHostView>[0] = {}) =>
      chosen([aHostView(has)], wanted) === 'h1'
    assert.deepEqual([room({ cpu: 128 }), room({ cpu: 128.1 })], [true, false])
    assert.deepEqual([room({ memoryMiB: 23_232 }), room({ memoryMiB: 23_233 })], [true, false])
    const disk = { has: { diskQuotaSupported: true } }
    assert.deepEqual([room({ diskGiB: 400 }, disk), room({ diskGiB: 401 }, disk)], [true, false])
  })

  it('is not taken by those that ask for nothing', () => {
    assert.equal(chosen([aHostView({ used: { containers: 9, cpu: 500, memoryMiB: 99_999, diskGiB: 0 } })]), 'h1')
  })

  it('a reserve leaves at least half of a small machine', () => {
    const small = aHostView({ has: { memTotalMiB: 600 } })
    assert.equal(chosen([small], { memoryMiB: 450 }), 'h1')
    assert.match(chosen([small], { memoryMiB: 451 }), /MEMORY_MB removed 1/)
  })

  it('tenths of cores add up', () => {
    const cpu = Array.from({ length: 1279 }).reduce<number>((sum) => sum + 0.1, 0)
    assert.equal(chosen([aHostView({ used: { containers: 1, cpu, memoryMiB: 0, diskGiB: 0 } })], { cpu: 0.1 }), 'h1')
  })
})

describe('the best of those that fit', () => {
  const fleet = [
    aHostView({ name: 'half', ...filled(8_000) }),
    aHostView({ name: 'empty' }),
    aHostView({ name: 'full', ...filled(23_000) }),
  ]

  it('is the emptiest, or the fullest that has room', () => {
    assert.equal(chosen(fleet, { memoryMiB: 512 }), 'empty')
    assert.equal(chosen(fleet, { memoryMiB: 512 }, { weigher: 'pack' }), 'half')
    assert.equal(chosen(fleet, { memoryMiB: 64 }, { weigher: 'pack' }), 'full')
  })

  it('cores count as much as memory', () => {
    const byCpu = [
      aHostView({ name: 'busy', used: { containers: 1, cpu: 100, memoryMiB: 0, diskGiB: 0 } }),
      aHostView({ name: 'wide', ...filled(10_000) }),
    ]
    assert.equal(chosen(byCpu, { cpu: 1 }), 'wide')
  })

  it('of equals the one with fewer containers', () => {
    const equals = [aHostView({ name: 'a', ...filled(0, 2) }), aHostView({ name: 'b', ...filled(0, 1) })]
    assert.equal(chosen(equals), 'b')
    assert.equal(chosen(equals, {}, { weigher: 'pack' }), 'a')
  })

  it('of exact equals always the same for one container, and not the same for all', () => {
    const equals = aFleet(10)
    const counts = new Map<string, number>()
    for (const uuid of uuids) {
      const name = chosen(equals, { uuid })
      assert.equal(chosen(equals.toReversed(), { uuid }), name)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    assert.equal(counts.size, 10)
    for (const times of counts.values()) assert.ok(times > 60 && times < 140, `${times} of 1000 on one of 10 hosts`)
  })
})

describe('cores and devices of its own', () => {
  it('are the free ones of the first node that has enough, whether or not the filter is on', () => {
    const host = aHostView({
      has: {
        enableCpuPinning: true,
        numaNodes: [
          { id: 0, cpus: [0, 1], memTotalMiB: 8_000 },
          { id: 1, cpus: [2, 3, 4], memTotalMiB: 8_000 },
        ],
      },
      exclusive: [anAllocation({ cpu: 1, memoryMiB: 64, diskGiB: 0 }, { cpuset: { cpus: [0], mems: [0] } })],
    })
    for (const patch of [{}, { filters: ['CpuSetFilter'] as const }]) {
      for (const [cpu, cpuset] of [
        [1, { cpus: [1], mems: [0] }],
        [2, { cpus: [2, 3], mems: [1] }],
      ] as const) {
        const wanted = aWanted({ cpu, memoryMiB: 100, cpuPolicy: 'dedicated' })
        const choice = chooseHost([host], wanted, { ...options, ...patch })
        assert.deepEqual(choice.kind === 'host' ? choice.allocation : null, {
          cpu,
          memoryMiB: 100,
          diskGiB: 0,
          cpuset,
          pciDevices: [],
        })
      }
    }
  })
})

describe('chance_scheduler', () => {
  const byChance = { driver: 'chance_scheduler' } as const

  it('takes any host that is up, however full, and spreads', () => {
    const fleet = aFleet(10, (n) => ({ up: n !== 0, disabled: n === 1, availabilityZone: 'west', ...filled(99_999) }))
    const names = new Set(
      uuids.map((uuid) => chosen(fleet, { uuid, memoryMiB: 512, availabilityZone: 'east' }, byChance)),
    )
    assert.deepEqual([...names].sort(), ['h2', 'h3', 'h4', 'h5', 'h6', 'h7', 'h8', 'h9'])
  })

  it('keeps to the requested host, and gives no core twice', () => {
    assert.equal(chosen(aFleet(10), { host: 'h7' }, byChance), 'h7')
    assert.match(
      chosen(
        aFleet(10, () => ({ up: false })),
        {},
        byChance,
      ),
      /ComputeFilter removed 10/,
    )
    assert.match(chosen(aFleet(1), { cpu: 1, cpuPolicy: 'dedicated' }, byChance), /CPUSET removed 1/)
  })
})
