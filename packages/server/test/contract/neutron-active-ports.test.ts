import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { ActivePorts } from '../../src/adapters/network/neutron/active-ports.ts'
import { NeutronClient } from '../../src/adapters/network/neutron/neutron-client.ts'
import { OpenStackUnreachable } from '../../src/adapters/openstack/errors.ts'
import { Retryable, SystemFault } from '../../src/domain/errors.ts'
import { VirtualClock } from '../../src/adapters/fake/virtual-clock.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import type { Clock } from '../../src/orchestration/ports/clock.ts'
import { FakeNeutron } from '../support/fake-neutron.ts'
import { quietLog } from '../support/quiet-log.ts'

const o = { signal: AbortSignal.timeout(60_000) }

describe('a plugged port that is waited for', () => {
  let neutron: FakeNeutron
  let portId: string
  let warnings: string[]
  let clock: Clock

  beforeEach(() => {
    neutron = new FakeNeutron()
    portId = neutron.add('ports', { network_id: 'n', mac_address: 'fa:16:3e:00:00:01', status: 'DOWN' }).id
    warnings = []
    clock = systemClock
  })

  const ports = (change: { timeoutMs?: number; required?: boolean } = {}): ActivePorts =>
    new ActivePorts({
      neutron: new NeutronClient(neutron),
      clock,
      activeTimeoutMs: change.timeoutMs ?? 30_000,
      activeRequired: change.required ?? false,
      log: { ...quietLog, warn: (_fields, message) => void warnings.push(message) },
    })
  const wait = async (change: { timeoutMs?: number; required?: boolean } = {}, signal = o.signal): Promise<void> => {
    await ports(change).wait(portId, { signal })
  }

  const shows = (status: string): void => {
    const [port] = neutron.list('ports')
    if (port !== undefined) port['status'] = status
  }

  it('is ACTIVE, or becomes so: nothing is said of it', async () => {
    neutron.onCall = () => {
      if (neutron.asked.length === 3) shows('ACTIVE')
    }
    await wait()
    assert.equal(neutron.asked.length, 3)
    await wait({ required: true })
    assert.deepEqual(warnings, [])
  })

  it('is still ACTIVE from before: what counts is what it becomes', async () => {
    shows('ACTIVE')
    const earlier = await ports().revisionOf(portId, o)
    assert.equal(earlier, 1)
    neutron.onCall = () => {
      if (neutron.asked.length === 3) shows('DOWN')
      if (neutron.asked.length === 5) {
        shows('ACTIVE')
        const [port] = neutron.list('ports')
        if (port !== undefined) port['revision_number'] = 3
      }
    }
    await ports().wait(portId, o, { revision: earlier })
    assert.equal(neutron.asked.length, 5)

    await ports({ timeoutMs: 600 }).wait(portId, o, { revision: 3 })
    assert.match(warnings[0] ?? '', /it is ACTIVE as it was before after 0\.6 s/)
  })

  it('was plugged before anybody looked: ACTIVE counts once an agent must have noticed, with its filters in the kernel', async () => {
    shows('ACTIVE')
    const virtual = new VirtualClock()
    clock = virtual
    const looks: number[] = []
    const hasFilters = async (): Promise<boolean> => looks.push(virtual.now()) > 2
    const began = virtual.now()
    const waited = ports().wait(portId, o, { revision: 1, hasFilters })
    await virtual.advance(20_000)
    await waited
    assert.equal(looks.length, 3)
    assert.ok((looks[0] ?? 0) > began + 5_000)
    assert.deepEqual(warnings, [])
  })

  it('stays DOWN: its container starts with a warning that names the port, or not at all where that is asked for', async () => {
    await wait({ timeoutMs: 600 })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', new RegExp(`${portId}.* it is DOWN after 0\\.6 s.*security groups may not hold`))
    await assert.rejects(
      wait({ timeoutMs: 600, required: true }),
      (error) => error instanceof SystemFault && error.message.includes(portId) && /is DOWN after/.test(error.message),
    )
  })

  it('cannot be asked after while Neutron is away: the same at once, and where it is required, later', async () => {
    neutron.onCall = () => {
      throw new OpenStackUnreachable('network', 'does not answer')
    }
    await wait()
    assert.match(warnings[0] ?? '', /does not answer/)
    await assert.rejects(wait({ required: true }), Retryable)
    assert.equal(neutron.asked.length, 2)
  })

  it('that is gone is not waited for', async () => {
    neutron.tables.get('ports')?.clear()
    await wait()
    assert.match(warnings[0] ?? '', /it is gone/)
    await assert.rejects(wait({ required: true }), SystemFault)
  })

  it('is not asked after where nothing is to be waited for', async () => {
    await wait({ timeoutMs: 0, required: true })
    assert.deepEqual(neutron.asked, [])
  })

  it('is no longer waited for by an operation that has been cut off', async () => {
    const cut = new AbortController()
    neutron.onCall = () => cut.abort(new Error('cut off'))
    await assert.rejects(wait({}, cut.signal), /cut off/)
    assert.deepEqual(warnings, [])
  })
})
