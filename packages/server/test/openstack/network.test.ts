/** Containers on ports of the real Neutron, with a real engine and the Linux bridge agent. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { NetworkStage } from './support/network-stage.ts'

describe('containers on ports of Neutron', () => {
  const stage = new NetworkStage()
  before(async () => stage.open())
  after(async () => stage.close())

  it('two containers on one network reach each other, with the addresses that the API shows', async () => {
    const [one, two] = [await stage.run(), await stage.run()]
    const [first, second] = [stage.addressOf(one), stage.addressOf(two)]
    const port = await stage.port(first.port)
    assert.equal(port.device_id, one.uuid)
    assert.equal(port.device_owner, 'compute:kuryr')
    assert.equal(port.fixed_ips[0]?.ip_address, first.addr)
    await stage.untilReached(one.uuid, second.addr)
    await stage.remove(one.uuid, two.uuid)
    assert.equal(await stage.findPort(first.port), undefined)
  })
})
