import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Retryable, UserFault } from '../domain/errors.ts'
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

test('what is refused time and again is left where it is and told, what is only away is tried for ever', async () => {
  let left: LeftoverPort[] = ['refused', 'away'].map((uuid) => ({
    uuid,
    containerUuid: `of ${uuid}`,
    data: port(uuid),
  }))
  const told: unknown[] = []
  const sweep = new PortSweep({
    store: { leftoverPorts: { due: async () => left } },
    forget: async (uuid) => {
      left = left.filter((one) => one.uuid !== uuid)
    },
    release: async ({ networkId }) => {
      throw networkId === 'refused' ? new UserFault('network.refused', 'never') : new Retryable('network.away', 'later')
    },
    clock: { now: () => 0, sleep: async () => undefined },
    log: { debug() {}, info() {}, warn() {}, error: (fields) => void told.push(fields) },
  })
  await sweep.round()
  assert.equal(left.length, 2)
  for (let rounds = 0; rounds < 100; rounds += 1) await sweep.round()
  assert.deepEqual(
    left.map(({ uuid }) => uuid),
    ['away'],
  )
  assert.deepEqual(told, [{ containerId: 'of refused', networkId: 'refused', portId: null, why: 'never' }])
})
