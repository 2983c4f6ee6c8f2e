import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LeftoverPort } from './ports/leftover-ports.ts'
import { PortSweep } from './port-sweep.ts'
import type { PortData } from './ports/wire.ts'

const port = (networkId: string): PortData => ({
  kind: 'port',
  networkId,
  networkName: networkId,
  projectId: 'project',
  subnets: [],
  fixedIps: [],
  macAddress: null,
  preserveOnDelete: false,
})

test('what can be given back is, and its note goes; what cannot be yet keeps both, and holds nobody up', async () => {
  let left: LeftoverPort[] = ['a', 'b', 'c'].map((uuid) => ({
    uuid,
    containerUuid: `of ${uuid}`,
    data: port(uuid),
  }))
  const released: string[] = []
  let isAway = true
  const sweep = new PortSweep({
    store: { leftoverPorts: { due: async () => left } },
    forget: async (uuid) => {
      left = left.filter((one) => one.uuid !== uuid)
    },
    release: async ({ networkId }) => {
      if (networkId === 'b' && isAway) throw new Error('the network service is away')
      released.push(networkId)
    },
    clock: { now: () => 0, sleep: async () => undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  })
  await sweep.round()
  assert.deepEqual([released, left.map(({ uuid }) => uuid)], [['a', 'c'], ['b']])
  isAway = false
  await sweep.round()
  assert.deepEqual([released, left], [['a', 'c', 'b'], []])
})
