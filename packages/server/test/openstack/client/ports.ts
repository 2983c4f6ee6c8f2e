/** Ports and security groups of Neutron, by the client of containers. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Stage } from '../../client/stage.ts'
import type { ContainerBody } from '../../support/api-client.ts'
import { until } from '../../support/until.ts'
import type { CloudPlace, Made } from '../support/client-place.ts'
import { portsOfDevice, showPort, type PortBody } from '../support/ports.ts'

interface Attached {
  readonly net_id: string
  readonly port_id: string
  readonly fixed_ips: string
}

interface Group extends Made {
  readonly security_group_rules: readonly { readonly direction: string; readonly port_range_min: number | null }[]
}

/** Twenty seconds of which are for an agent of Neutron that has much to do. */
const ATTACHED_MS = 60_000

export function portsTests(stage: Stage, place: CloudPlace): void {
  const attached = async (name: string): Promise<Attached[]> => await stage.demo.json('appcontainer network list', name)
  const ports = async ({ uuid }: ContainerBody): Promise<readonly PortBody[]> =>
    await portsOfDevice(place.cloud.admin, uuid)
  const groupsNamed = async (name: string): Promise<Group[]> =>
    (await place.cloud.admin.get<{ security_groups: Group[] }>('network', `/v2.0/security-groups?name=${name}`))
      .security_groups

  it('the networks that are listed are those of its ports in Neutron', async () => {
    const network = await place.network('here')
    const container = await stage.running('plain', '--net network=here --net network=demo-net')
    const rows = await attached('plain')
    const found = await ports(container)
    assert.deepEqual(
      rows.map((row) => `${row.net_id} ${row.port_id}`).toSorted(),
      found.map((port) => `${port.network_id} ${port.id}`).toSorted(),
    )
    assert.ok(found.every((port) => port.device_owner === 'compute:kuryr'))
    assert.match(rows.find((row) => row.net_id === network)?.fixed_ips ?? '', /^10\.80\.\d+\.\d+,fd00:80:/)
  })

  it('a port that was brought is used, attached, detached, and kept', async () => {
    const { demo } = stage
    const network = await place.network('there')
    const port = await place.make<PortBody>('ports', { name: 'mine', network_id: network })
    const container = await stage.running('guest', '--net port=mine')
    assert.deepEqual(
      (await attached('guest')).map((row) => row.port_id),
      [port.id],
    )
    assert.equal((await showPort(place.cloud.demo, port.id)).device_id, container.uuid)
    const again = await demo.refused(`appcontainer create --net port=${port.id} ${stage.busybox}`)
    assert.match(again, /still in use.*\(HTTP 400\)/)
    await demo.ok('appcontainer network detach --port', port.id, 'guest')
    await until('it is free', async () => (await showPort(place.cloud.demo, port.id)).device_id === '')
    await until('nothing is under way', async () => (await stage.api.show('guest')).task_state === null)
    await demo.ok('appcontainer network attach --port mine guest')
    const isAttached = async (): Promise<boolean> => (await attached('guest')).some((row) => row.port_id === port.id)
    await until('it is attached', isAttached, ATTACHED_MS)
    await stage.settled('guest', 'Running')
    await demo.ok('appcontainer delete --stop guest')
    await stage.api.waitGone(container.uuid)
    assert.equal((await showPort(place.cloud.demo, port.id)).device_id, '')
  })

  it('security groups are those of Neutron, at create and afterwards in the versions that change them', async () => {
    const { demo } = stage
    const web = await place.make<Group>('security-groups', { name: 'web' })
    const ssh = await place.make<Group>('security-groups', { name: 'ssh' })
    const container = await stage.running('guarded', '--security-group web')
    assert.deepEqual(container['security_groups'], [web.id])
    const groups = async (): Promise<readonly string[]> =>
      (await ports(container)).flatMap((port) => port.security_groups).toSorted()
    assert.deepEqual(await groups(), [web.id])
    const old = (line: string): string => `--os-container-api-version 1.14 appcontainer ${line}`
    assert.match(
      await demo.ok(old('add security group guarded ssh')),
      /Request to add security group for container guarded has been accepted/,
    )
    await until('its port has both', async () => (await groups()).length === 2)
    assert.deepEqual(await groups(), [web.id, ssh.id].toSorted())
    await stage.settled('guarded', 'Running')
    assert.match(
      await demo.ok(old('remove security group guarded web')),
      /Request to remove security group from container guarded has been accepted/,
    )
    await until('its port has one', async () => (await groups()).join() === ssh.id)
    await stage.settled('guarded', 'Running')
    for (const [line, why] of [
      ['add security group guarded nobody', /nobody.*\(HTTP 4\d\d\)/],
      ['add security group guarded ssh', /\(HTTP 4\d\d\)/],
      ['remove security group guarded web', /\(HTTP 4\d\d\)/],
    ] as const) {
      assert.match(await demo.ok(old(line)), why)
    }
    assert.match(
      await demo.refused(`appcontainer create --security-group nobody ${stage.busybox}`),
      /nobody.*\(HTTP 400\)/,
    )
  })

  it('exposed ports are opened by a group of the container’s own, which goes with it', async () => {
    const { demo } = stage
    const { uuid } = await stage.running('server', '--expose-port 80')
    const [group] = await groupsNamed(`zun-${uuid}`)
    assert.ok(group)
    const rules = group.security_group_rules.filter(({ direction }) => direction === 'ingress')
    assert.deepEqual([...new Set(rules.map((rule) => rule.port_range_min))], [80])
    const shown = await demo.json<ContainerBody>('appcontainer show server')
    assert.deepEqual([shown['ports'], shown['security_groups']], [[80], [group.id]])
    await demo.ok('appcontainer delete --stop server')
    await stage.api.waitGone(uuid)
    assert.deepEqual(await groupsNamed(`zun-${uuid}`), [])
  })
}
