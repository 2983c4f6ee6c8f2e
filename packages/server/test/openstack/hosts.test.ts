/** Roles by themselves in a cloud: a controller, and a host on each of two machines with an agent of Neutron. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { ApiClient, OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { closeAll } from '../support/close-all.ts'
import { RoleDeployment } from '../support/role-deployment.ts'
import { TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'
import { cloudGroups } from './support/cloud-conf.ts'
import { forgetHost } from './support/cloud-stage.ts'
import { assertUnchanged, cloudState, type CloudState } from './support/cloud-state.ts'
import { CloudUser } from './support/cloud-user.ts'
import { Region } from './support/region.ts'
import { secondNode } from './support/second-node.ts'

/** Two agents on one machine have the rules of a new port in place one after the other. */
const AGENTS_MS = 100_000

describe('two hosts in a cloud', () => {
  const first = hostname()
  const second = secondNode()
  let admin: CloudUser
  let region: Region
  let on: RoleDeployment
  let demo: CloudUser
  let api: ApiClient
  let earlier: CloudState

  before(async () => {
    admin = await CloudUser.login('admin')
    for (const name of [first, second.name]) await forgetHost(admin, name)
    on = await RoleDeployment.make()
    region = await Region.open(admin, `zund-${on.apiPort}`)
    const cloud = cloudGroups({ authUrl: region.authUrl, region: region.name })
    const { hostname: address } = new URL(region.authUrl)
    const controller = on.configure('in-a-cloud', { ...cloud, zund: { link_host_ip: '0.0.0.0' } })
    const a = await on.host(first, { conf: { ...cloud, DEFAULT: { default_availability_zone: 'one' } } })
    const b = await on.host(second.name, {
      conf: {
        ...cloud,
        DEFAULT: { default_availability_zone: 'two', my_ip: '192.0.2.2' },
        zund: { control_plane: `${address}:${on.linkPort}` },
      },
      engine: second.engine,
      wrap: second.enter,
    })
    const roles = [on.role('api', controller), a.process, b.process]
    await Promise.all(roles.map(async (role) => role.start()))
    for (const host of [a.process, b.process]) await host.says(/ working /)
    demo = await CloudUser.login('demo')
    api = new ApiClient(on.baseUrl, demo.token, demo.projectId)
    earlier = await state()
  })

  after(async () => {
    await closeAll(
      () => on.destroy(),
      () => forgetHost(admin, first),
      () => forgetHost(admin, second.name),
      () => region.close(),
    )
  })

  const state = async (): Promise<CloudState> =>
    cloudState({ admin, engine: new TestEngine(), directory: on.directory })

  const running = async (zone: string, body: object = {}): Promise<ContainerBody> => {
    const { uuid } = await api.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
      body: {
        image: 'busybox',
        image_driver: 'glance',
        command: OBEDIENT,
        availability_zone: zone,
        nets: [{ network: 'demo-net' }],
        ...body,
      },
    })
    return await api.waitFor(uuid, ({ status }) => status === 'Running')
  }

  const reaches = async (from: ContainerBody, to: ContainerBody): Promise<boolean> => {
    const address = Object.values(to.addresses)[0]?.[0]?.addr ?? ''
    const query = new URLSearchParams({ command: `ping -c 1 -W 2 ${address}`, run: 'true', interactive: 'false' })
    const path = `/v1/containers/${from.uuid}/execute?${query.toString()}`
    return (await api.expect<{ exit_code: number }>(200, 'POST', path)).exit_code === 0
  }

  it('containers on different hosts reach each other over a network of Neutron, and what is deleted is gone everywhere', async () => {
    const [here, there] = [await running('one'), await running('two')]
    const names = (await second.engine.api<{ Names: string[] }[]>('GET', '/containers/json')).flatMap(
      (row) => row.Names,
    )
    assert.deepEqual(names, [`/zun-${there.uuid}`])
    await until('there is reached from here', async () => reaches(here, there), AGENTS_MS)
    await until('here is reached from there', async () => reaches(there, here), AGENTS_MS)
    for (const { uuid } of [here, there]) await api.delete(uuid)
    assert.deepEqual(await second.engine.api('GET', '/containers/json?all=1'), [])
    await assertUnchanged(earlier, state)
  })

  it('a security group holds between hosts, too', async () => {
    const group = async (name: string): Promise<string> => {
      const body = { security_group: { name } }
      const made = await demo.post<{ security_group: { id: string } }>('network', '/v2.0/security-groups', body)
      return made.security_group.id
    }
    const letPing = async (id: string): Promise<void> => {
      const security_group_rule = { security_group_id: id, direction: 'ingress', protocol: 'icmp' }
      await demo.post('network', '/v2.0/security-group-rules', { security_group_rule })
    }
    const [open, shut] = [await group('zund-open-between-hosts'), await group('zund-shut-between-hosts')]
    await letPing(open)
    const here = await running('one', { security_groups: [open] })
    const there = await running('two', { security_groups: [shut] })
    // The other way is open, so packets do pass between the two.
    await until('here is reached from there', async () => reaches(there, here), AGENTS_MS)
    assert.equal(await reaches(here, there), false)
    await letPing(shut)
    await until('there is reached from here', async () => reaches(here, there), AGENTS_MS)
    for (const { uuid } of [here, there]) await api.delete(uuid)
    for (const id of [open, shut]) await demo.delete('network', `/v2.0/security-groups/${id}`)
    await assertUnchanged(earlier, state)
  })
})
