import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anAllocation } from '../support/builders.ts'
import { aFleet, aHostView, aWanted } from '../support/fleet.ts'
import type { HostView, Wanted } from '../../src/domain/scheduling/types.ts'
import { FILTERS, type FilterName } from '../../src/domain/scheduling/filters/index.ts'

type Case = readonly [what: string, host: Parameters<typeof aHostView>[0], wanted: Partial<Wanted>, passes: boolean]

const twoNodes = [
  { id: 0, cpus: [1, 2, 3], memTotalMiB: 4_000 },
  { id: 1, cpus: [4, 5, 6, 7], memTotalMiB: 2_000 },
]
const pinning = { enableCpuPinning: true, numaNodes: twoNodes }
const pinned = (cpus: number[], mem: number, memoryMiB: number) =>
  anAllocation({ cpu: cpus.length, memoryMiB, diskGiB: 0 }, { cpuset: { cpus, mems: [mem] } })
const dedicated = (cpu: number, memoryMiB = 0) => ({ cpuPolicy: 'dedicated', cpu, memoryMiB }) as const
const used = (patch: Partial<HostView['used']>) => ({ containers: 1, cpu: 0, memoryMiB: 0, diskGiB: 0, ...patch })
const card = {
  address: '0000:3b:00.0',
  vendorId: '8086',
  productId: '1572',
  devType: 'type-PCI',
  parentAddress: null,
  numaNode: 0,
  tags: { physical_network: 'physnet1' },
} as const
const onPhysnet1 = { count: 1, spec: [{ physical_network: 'physnet1' }] }

const CASES: Readonly<Record<FilterName, readonly Case[]>> = {
  AvailabilityZoneFilter: [
    ['no zone is wanted', {}, {}, true],
    ['the same zone', { availabilityZone: 'east' }, { availabilityZone: 'east' }, true],
    ['another zone', { availabilityZone: 'east' }, { availabilityZone: 'west' }, false],
    ['zones are told apart by case', { availabilityZone: 'east' }, { availabilityZone: 'East' }, false],
  ],
  ComputeFilter: [
    ['up and enabled', {}, {}, true],
    ['down', { up: false }, {}, false],
    ['disabled', { disabled: true }, {}, false],
  ],
  RuntimeFilter: [
    ['none is wanted', { has: { runtimes: [] } }, {}, true],
    ['there', { has: { runtimes: ['runc', 'kata'] } }, { runtime: 'kata' }, true],
    ['not there', { has: { runtimes: ['runc'] } }, { runtime: 'kata' }, false],
  ],
  LabelFilter: [
    ['no hints', {}, {}, true],
    ['the label has the value', { has: { labels: { rack: 'a1' } } }, { hints: { 'label:rack': 'a1' } }, true],
    ['the label has another value', { has: { labels: { rack: 'a1' } } }, { hints: { 'label:rack': 'b2' } }, false],
    ['the label is missing', { has: { labels: {} } }, { hints: { 'label:rack': 'a1' } }, false],
    ['one of two', { has: { labels: { rack: 'a1' } } }, { hints: { 'label:rack': 'a1', 'label:row': '3' } }, false],
    ['a value that is no text', { has: { labels: { rack: '1' } } }, { hints: { 'label:rack': 1 } }, false],
    ['a name that every object has', { has: { labels: {} } }, { hints: { 'label:toString': 'x' } }, false],
    ['hints of others', { has: { labels: {} } }, { hints: { group: 'x', same_host: ['y'] } }, true],
  ],
  PciPassthroughFilter: [
    ['nothing is wanted', {}, {}, true],
    ['a free one', { has: { pciDevices: [card] } }, { pciRequests: [onPhysnet1] }, true],
    ['none at all', {}, { pciRequests: [onPhysnet1] }, false],
    [
      'taken',
      { has: { pciDevices: [card] }, exclusive: [anAllocation(used({}), { pciDevices: [card.address] })] },
      { pciRequests: [onPhysnet1] },
      false,
    ],
  ],
  CpuSetFilter: [
    ['shared, where all is shared', {}, {}, true],
    ['shared, where all is given away', { has: pinning }, {}, false],
    ['shared, where some are set aside', { has: { ...pinning, floatingCpus: [0] } }, {}, true],
    ['dedicated, where nothing is given away', {}, dedicated(1), false],
    ['dedicated, on one node', { has: pinning }, dedicated(4), true],
    ['dedicated, more than any node has', { has: pinning }, dedicated(5), false],
    ['dedicated, where too many are taken', { has: pinning, exclusive: [pinned([4], 1, 0)] }, dedicated(4), false],
    ['dedicated, its memory on one node', { has: pinning }, dedicated(1, 4_000), true],
    ['dedicated, more memory than any node has', { has: pinning }, dedicated(1, 4_001), false],
    [
      'dedicated, where the memory is taken',
      { has: pinning, exclusive: [pinned([1], 0, 500)] },
      dedicated(1, 4_000),
      false,
    ],
    ['dedicated, cores and memory on different nodes', { has: pinning }, dedicated(4, 3_000), false],
  ],
  CPUFilter: [
    ['none is wanted', { used: used({ cpu: 99 }) }, {}, true],
    ['the last core', { used: used({ cpu: 7.5 }) }, { cpu: 0.5 }, true],
    ['more than is left', { used: used({ cpu: 7.5 }) }, { cpu: 0.6 }, false],
  ],
  RamFilter: [
    ['none is wanted', { used: used({ memoryMiB: 99_999 }) }, {}, true],
    ['all that is left', { used: used({ memoryMiB: 15_000 }) }, { memoryMiB: 1_000 }, true],
    ['more than is left', { used: used({ memoryMiB: 15_000 }) }, { memoryMiB: 1_001 }, false],
  ],
  DiskFilter: [
    ['none is wanted', {}, {}, true],
    ['no quota', {}, { diskGiB: 1 }, false],
    ['all that is left', { has: { diskQuotaSupported: true }, used: used({ diskGiB: 390 }) }, { diskGiB: 10 }, true],
    ['more than is left', { has: { diskQuotaSupported: true }, used: used({ diskGiB: 390 }) }, { diskGiB: 11 }, false],
  ],
}

for (const [name, cases] of Object.entries(CASES)) {
  describe(name, () => {
    const filter = FILTERS[name as FilterName]
    for (const [what, host, wanted, passes] of cases) {
      it(`${passes ? 'passes' : 'stops'}: ${what}`, () => {
        assert.equal(filter.passes(aHostView(host), aWanted(wanted)), passes)
      })
    }

    it('tells the hosts of a large fleet apart', () => {
      const [yes] = cases.filter(([, , , passes]) => passes).toReversed()
      const [no] = cases.filter(([, , , passes]) => !passes)
      assert.ok(yes !== undefined && no !== undefined)
      for (const [, host, wanted, passes] of [yes, no]) {
        // Hosts like that of the case on every tenth place, others without anything between them.
        const nothing = { up: false, availabilityZone: '', has: { ...NOTHING, runtimes: [] } }
        const fleet = aFleet(1000, (n) => (n % 10 === 3 ? host : nothing))
        const passing = fleet.filter((view) => filter.passes(view, aWanted(wanted)))
        const places = passing.map((view) => Number(view.name.slice(1)) % 10)
        assert.equal(places.filter((place) => place === 3).length, passes ? 100 : 0)
      }
    })
  })
}

const NOTHING = { cpus: 0, memTotalMiB: 0, diskTotalGiB: 0, labels: {}, numaNodes: [], pciDevices: [] }
