import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MountSweep } from './mount-sweep.ts'
import type { LostMount } from './ports/local-resources.ts'

const lost = (volumeUuid: string): LostMount => ({
  uuid: `of ${volumeUuid}`,
  host: 'gone',
  mount: {
    kind: 'mount',
    volumeUuid,
    provider: 'block-storage',
    destination: '/data',
    sizeGiB: 1,
    contents: null,
    autoRemove: false,
    attachment: { holder: 'container', id: null },
  },
})

test('what was left on a lost host is given back, and its note goes; what cannot be yet keeps both, and holds nobody up', async () => {
  let left = ['a', 'b', 'c'].map(lost)
  const released: string[] = []
  let isAway = true
  const sweep = new MountSweep({
    store: { disposals: { mountsOfLostHosts: async () => left } },
    forget: async ({ uuid }) => {
      left = left.filter((one) => one.uuid !== uuid)
    },
    release: async ({ volumeUuid }) => {
      if (volumeUuid === 'b' && isAway) throw new Error('the volume service is away')
      released.push(volumeUuid)
    },
    clock: { now: () => 0, sleep: async () => undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  })
  await sweep.round()
  assert.deepEqual([released, left.map(({ uuid }) => uuid)], [['a', 'c'], ['of b']])
  isAway = false
  await sweep.round()
  assert.deepEqual([released, left], [['a', 'c', 'b'], []])
})
