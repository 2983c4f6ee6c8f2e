import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { LateJoins } from '../../src/adapters/network/neutron/late-joins.ts'
import { VirtualClock } from '../../src/adapters/fake/virtual-clock.ts'
import type { HostPort } from '../../src/orchestration/ports/host-ports.ts'
import { quietLog } from '../support/quiet-log.ts'

const aPort = (portId: string): HostPort => ({
  portId,
  networkId: 'n',
  containerUuid: 'c',
  macAddress: 'fa:16:3e:00:00:01',
  mtu: 1500,
  addresses: [],
  subnets: [],
  plug: { kind: 'bridge', bridge: null, hybrid: false },
})

describe('a port of a container that the engine has started by itself', () => {
  let did: string[]
  let isOut: boolean
  let untilActive: (portId: string, signal: AbortSignal) => Promise<void>
  let clock: VirtualClock
  let stop: AbortController
  let joins: LateJoins

  beforeEach(() => {
    did = []
    isOut = true
    untilActive = async () => undefined
    clock = new VirtualClock()
    stop = new AbortController()
    joins = new LateJoins()
  })

  const begin = (): void => {
    joins.begin(
      {
        active: {
          revisionOf: async () => 7,
          wait: async (portId, { signal }, at) => {
            did.push(`wait for ${portId} after ${at?.revision}, with ${await at?.hasFilters?.()}`)
            await untilActive(portId, signal)
          },
        },
        plugger: {
          isKeptOut: async () => isOut,
          hasFilters: async () => true,
          join: async ({ portId }) => void did.push(`join ${portId}`),
        },
        clock,
        log: quietLog,
      },
      stop.signal,
    )
  }

  it('joins its network once it is ACTIVE, also when it was plugged before anybody could be asked', async () => {
    joins.take(aPort('early'))
    await clock.advance(60_000)
    assert.deepEqual(did, [])
    begin()
    await clock.advance(0)
    joins.take(aPort('late'))
    await clock.advance(0)
    assert.deepEqual(did, [
      'wait for early after 7, with true',
      'join early',
      'wait for late after 7, with true',
      'join late',
    ])
  })

  it('that has gone, or is in its network already, is left alone', async () => {
    isOut = false
    begin()
    joins.take(aPort('gone'))
    await clock.advance(0)
    assert.deepEqual(did, [])
  })

  it('is waited for again when it must be ACTIVE and is not', async () => {
    let tries = 0
    untilActive = async () => {
      tries += 1
      if (tries < 3) throw new Error('it is DOWN')
    }
    begin()
    joins.take(aPort('slow'))
    await clock.advance(10_000)
    assert.deepEqual([tries, did.at(-1)], [3, 'join slow'])
  })

  it('that is plugged anew is not joined on account of the older pair, and at the end nobody is waited for', async () => {
    const waits: AbortSignal[] = []
    untilActive = async (_, signal) => {
      waits.push(signal)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))))
    }
    begin()
    joins.take(aPort('again'))
    await clock.advance(0)
    joins.take(aPort('again'))
    await clock.advance(0)
    assert.deepEqual(
      waits.map(({ aborted }) => aborted),
      [true, false],
    )
    stop.abort()
    await clock.advance(60_000)
    assert.deepEqual(did, ['wait for again after 7, with true', 'wait for again after 7, with true'])
  })
})
