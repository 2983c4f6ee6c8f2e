import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Allocation } from '../../src/orchestration/ports/wire.ts'
import { grow, heldAfter } from '../../src/domain/scheduling/resize.ts'
import { anAllocation, aSpec } from '../support/builders.ts'
import { aHostView } from '../support/fleet.ts'

const held = anAllocation({ cpu: 2, memoryMiB: 1_000, diskGiB: 5 })
const pinned = { ...held, cpuset: { cpus: [4, 5], mems: [1] } }
const neighbour = anAllocation({ cpu: 1, memoryMiB: 2_000, diskGiB: 0 }, { cpuset: { cpus: [6], mems: [1] } })
/** 8 cores × 16, 16000 MiB × 1.5, of which this much is in use. */
const used = { containers: 2, cpu: 120, memoryMiB: 23_000, diskGiB: 0 }
const host = aHostView({
  used,
  has: {
    enableCpuPinning: true,
    numaNodes: [
      { id: 0, cpus: [0, 1, 2, 3], memTotalMiB: 8_000 },
      { id: 1, cpus: [4, 5, 6, 7], memTotalMiB: 8_000 },
    ],
  },
  exclusive: [pinned, neighbour],
})

test('a container grows into what its host has left, and holds the larger size until that is done', () => {
  const rows: readonly [Allocation, { cpu: number; memoryMiB: number }, Partial<Allocation> | string[]][] = [
    [held, { cpu: 2, memoryMiB: 1_000 }, {}],
    [held, { cpu: 10, memoryMiB: 2_000 }, { cpu: 10, memoryMiB: 2_000 }],
    [held, { cpu: 1, memoryMiB: 500 }, {}],
    [held, { cpu: 10.5, memoryMiB: 1_000 }, ['Free vcpu 8 vcpu < requested 8.5 vcpu']],
    [
      held,
      { cpu: 16, memoryMiB: 2_001 },
      ['Free memory 1000 MB < requested 1001 MB', 'Free vcpu 8 vcpu < requested 14 vcpu'],
    ],
    [pinned, { cpu: 3, memoryMiB: 1_000 }, { cpu: 3, cpuset: { cpus: [4, 5, 7], mems: [1] } }],
    [pinned, { cpu: 1, memoryMiB: 1_000 }, {}],
    [pinned, { cpu: 4, memoryMiB: 1_000 }, ['Free cpuset_cpu 1 cores < requested 2 cores']],
    [pinned, { cpu: 2, memoryMiB: 2_000 }, { memoryMiB: 2_000 }],
  ]
  for (const [now, to, expected] of rows) {
    assert.deepEqual(
      grow(host, now, to),
      Array.isArray(expected) ? expected : { ...now, ...expected },
      JSON.stringify([now, to]),
    )
  }
  const narrow = aHostView({ ...host, used: { ...used, memoryMiB: 0 }, exclusive: [{ ...pinned, memoryMiB: 7_900 }] })
  assert.deepEqual(grow(narrow, pinned, { cpu: 2, memoryMiB: 1_101 }), ['Free cpuset_mem 100 MB < requested 101 MB'])
})

test('what shrinks is never refused, however full its host is', () => {
  const crowded = aHostView({ used: { containers: 9, cpu: 999, memoryMiB: 99_999, diskGiB: 0 } })
  assert.deepEqual(grow(crowded, held, { cpu: 1, memoryMiB: 64 }), held)
  assert.deepEqual(grow(crowded, held, { cpu: 1, memoryMiB: 1_001 }), ['Free memory 0 MB < requested 1 MB'])
})

test('when a resize has ended it holds what it has, and what others under way may come to', () => {
  const large = { ...pinned, cpu: 4, memoryMiB: 4_000, cpuset: { cpus: [4, 5, 7, 6], mems: [1] } }
  const spec = aSpec({ cpu: 2, memoryMiB: 1_000, diskGiB: 5 })
  assert.deepEqual(heldAfter(large, spec, []), pinned)
  assert.deepEqual(heldAfter(large, spec, [{ cpu: 3 }, { memoryMiB: 500 }]), {
    ...pinned,
    cpu: 3,
    cpuset: { cpus: [4, 5, 7], mems: [1] },
  })
})
