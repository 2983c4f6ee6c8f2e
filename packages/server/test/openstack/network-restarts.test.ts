/** Ports of Neutron while the service, the engine or the network service go away and come back. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { NetworkStage, type Network } from './support/network-stage.ts'

const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(120_000) })

describe('ports of Neutron through restarts', () => {
  const stage = new NetworkStage()
  let on: { nets: { network: string }[] }
  let network: Network
  before(async () => {
    await stage.open()
    network = await stage.network({ cidr: '10.67.0.0/24' })
    on = { nets: [{ network: network.id }] }
  })
  after(async () => stage.close())

  it('a container keeps its network while the service is away, and stops and starts when it is back', async () => {
    const [one, two] = [await stage.run(on), await stage.run(on)]
    const { addr } = stage.addressOf(two)
    await stage.untilReached(one.uuid, addr)
    await stage.zund.kill()
    await stage.untilReachedDirectly(one.uuid, addr)
    await stage.zund.up()
    const path = `/v1/containers/${one.uuid}`
    await stage.api.expect(202, 'POST', `${path}/reboot?timeout=1`)
    await stage.api.waitFor(one.uuid, ({ status, task_state: task }) => status === 'Running' && task === null)
    await stage.untilReached(one.uuid, addr)
    await stage.remove(one.uuid, two.uuid)
  })

  it('an engine that was restarted starts its containers on their ports again', async () => {
    const policy = { restart_policy: { Name: 'always', MaximumRetryCount: '0' } }
    const [one, two] = [await stage.run({ ...on, ...policy }), await stage.run({ ...on, ...policy })]
    const { addr } = stage.addressOf(two)
    await stage.untilReached(one.uuid, addr)
    await stage.engine.end()
    await stage.engine.begin(soon())
    await stage.until('both run again', async () => {
      const states = await Promise.all([one, two].map(async ({ uuid }) => (await stage.api.show(uuid)).status))
      return states.every((status) => status === 'Running')
    })
    await stage.untilReachedAgain(one.uuid, addr)
    assert.deepEqual((await stage.api.show(one.uuid)).addresses, one.addresses)
    await stage.remove(one.uuid, two.uuid)
  })

  it('nothing is left behind', async () => stage.assertNothingLeft())
})
