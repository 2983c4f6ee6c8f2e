/**
 * Neutron dies in the middle of what ports need besides being there, and Keystone when the service logs in: what was accepted
 * finishes, and what was brought is afterwards what it was.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { cloudTests } from './support/cloud-stage.ts'
import { BOTH, duringCut, eachCut, PATIENCE_MS, wasAccepted, type Cut } from './support/cuts.ts'
import { Deaths } from './support/deaths.ts'
import { makePort, portsOfDevice, showPort, type PortBody } from './support/ports.ts'

const neutron = (request: RegExp, moments: Cut['moments'] = BOTH): Cut => ({ service: 'neutron', request, moments })

const OF_EXPOSED = [
  neutron(/^GET \/v2.0\/security-groups/, ['before']),
  neutron(/^POST \/v2.0\/security-groups/),
  neutron(/^POST \/v2.0\/security-group-rules/),
]
const OF_EXPOSED_DELETE = [neutron(/^DELETE \/v2.0\/security-groups/)]
const OF_BROUGHT = [neutron(/^GET \/v2.0\/ports/, ['before']), neutron(/^PUT \/v2.0\/ports/)]
const OF_BROUGHT_DELETE = [neutron(/^PUT \/v2.0\/ports/)]

cloudTests('a service of the cloud dies', (stage) => {
  afterEach(() => stage.region.restoreAll())

  const request = (nets: readonly object[], more: object = {}): object => ({
    image: 'busybox',
    image_driver: 'glance',
    command: OBEDIENT,
    nets,
    ...more,
  })
  /** undefined: it was refused. */
  const createIn = async (cut: Cut, moment: Cut['moments'][number], body: object): Promise<string | undefined> => {
    const answer = await duringCut(stage, cut, moment, async () =>
      stage.api().call('POST', '/v1/containers?run=true', { body }),
    )
    if (!wasAccepted(answer)) return undefined
    const { uuid } = answer.body as ContainerBody
    await stage.api().waitFor(uuid, ({ status }) => status === 'Running', PATIENCE_MS)
    return uuid
  }
  const deleteIn = async (cut: Cut, moment: Cut['moments'][number], uuid: string): Promise<void> => {
    const answer = await duringCut(stage, cut, moment, async () =>
      stage.api().call('DELETE', `/v1/containers/${uuid}?stop=true`),
    )
    assert.equal(answer.status, 204, answer.text)
    await stage.api().waitGone(uuid, PATIENCE_MS)
  }

  describe('with exposed ports', () => {
    const body = request([{ network: 'demo-net' }], { exposed_ports: { '80/tcp': {} } })
    const groupsOf = async (uuid: string): Promise<readonly { id: string }[]> =>
      (
        await stage.admin.get<{ security_groups: { id: string }[] }>(
          'network',
          `/v2.0/security-groups?name=zun-${uuid}`,
        )
      ).security_groups

    eachCut(OF_EXPOSED, async (cut, moment) => {
      const uuid = await createIn(cut, moment, body)
      if (uuid === undefined) return
      const [group, ...others] = await groupsOf(uuid)
      const [port] = await portsOfDevice(stage.admin, uuid)
      assert.deepEqual([port?.security_groups, others], [[group?.id], []])
      await stage.api().delete(uuid)
      assert.deepEqual(await groupsOf(uuid), [])
    })
    eachCut(OF_EXPOSED_DELETE, async (cut, moment) => {
      const { uuid } = await stage.running(body)
      await deleteIn(cut, moment, uuid)
      assert.deepEqual(await groupsOf(uuid), [])
    })
  })

  describe('with a port that was brought', () => {
    let port = ''
    let earlier: PortBody
    before(async () => {
      port = await makePort(stage.demo, 'demo-net')
      earlier = await showPort(stage.demo, port)
    })
    after(async () => stage.demo.delete('network', `/v2.0/ports/${port}`))
    const assertAsBrought = async (): Promise<void> => {
      const { device_id, device_owner, security_groups } = await showPort(stage.demo, port)
      const { device_id: id, device_owner: owner, security_groups: groups } = earlier
      assert.deepEqual([device_id, device_owner, security_groups], [id, owner, groups])
    }

    eachCut(OF_BROUGHT, async (cut, moment) => {
      const uuid = await createIn(cut, moment, request([{ port }]))
      if (uuid !== undefined) {
        assert.equal((await showPort(stage.demo, port)).device_id, uuid)
        await stage.api().delete(uuid)
      }
      await assertAsBrought()
    })
    eachCut(OF_BROUGHT_DELETE, async (cut, moment) => {
      const { uuid } = await stage.running(request([{ port }]))
      await deleteIn(cut, moment, uuid)
      await assertAsBrought()
    })
  })

  it('Keystone, when a service that died in the middle of a create logs in again', async () => {
    const deaths = await Deaths.of(stage.zund)
    const front = stage.region.front('keystone')
    let uuid = ''
    let missed: Promise<void> | undefined
    await deaths.at(
      'step:prepareNetworks:journaled',
      async () => {
        const body = request([{ network: 'demo-net' }])
        uuid = (await stage.api().expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', { body })).uuid
      },
      () => {
        missed = front.cutAt(/^POST \/v3\/auth\/tokens/, 'after').then(async () => front.missed())
      },
    )
    await missed
    front.restore()
    await stage.api().waitFor(uuid, ({ status }) => status === 'Running', PATIENCE_MS)
    assert.equal((await portsOfDevice(stage.admin, uuid)).length, 1)
    await stage.api().delete(uuid)
  })
})
