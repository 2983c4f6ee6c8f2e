/**
 * Floating addresses, which the client gives and takes at Neutron itself. Nothing here routes them: what is looked at is what
 * Neutron and the service say; no packet is sent.
 */
import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import type { Stage } from '../../client/stage.ts'
import type { ContainerBody } from '../../support/api-client.ts'
import type { CloudPlace, Made } from '../support/client-place.ts'

interface FloatingIp extends Made {
  readonly floating_ip_address: string
  readonly fixed_ip_address: string | null
  readonly port_id: string | null
}

export function floatingTests(stage: Stage, place: CloudPlace): void {
  let inside: string
  let outside: string
  let floating: FloatingIp

  before(async () => {
    const { admin, demo } = place.cloud
    inside = await place.network('inside')
    const fields = { name: 'outside', 'router:external': true, shared: false }
    outside = (await place.make('networks', fields, admin)).id
    const subnet = { network_id: outside, ip_version: 4, cidr: '198.51.100.0/24', enable_dhcp: false }
    await place.make('subnets', subnet, admin)
    const router = await place.make('routers', { name: 'door', external_gateway_info: { network_id: outside } })
    const query = `network_id=${inside}&ip_version=4`
    const { subnets } = await demo.get<{ subnets: Made[] }>('network', `/v2.0/subnets?${query}`)
    const side = { subnet_id: subnets[0]?.id }
    await demo.put('network', `/v2.0/routers/${router.id}/add_router_interface`, side)
    place.atClear(async () => demo.put('network', `/v2.0/routers/${router.id}/remove_router_interface`, side))
    floating = await place.make<FloatingIp>('floatingips', { floating_network_id: outside })
  })

  const seen = async (): Promise<FloatingIp> => {
    const path = `/v2.0/floatingips/${floating.id}`
    return (await place.cloud.demo.get<{ floatingip: FloatingIp }>('network', path)).floatingip
  }

  const addressIn = (container: ContainerBody, version = 4): { addr: string; port: string } => {
    const found = container.addresses[inside]?.find((one) => one.version === version)
    assert.ok(found)
    return found
  }

  it('are given to the port of a container, which shows its own addresses as before', async () => {
    const { demo } = stage
    const container = await stage.running('served', '--net network=inside')
    const { addr, port } = addressIn(container)
    assert.equal(await demo.ok(`appcontainer add floating ip served ${floating.floating_ip_address}`), '')
    const given = await seen()
    assert.deepEqual([given.port_id, given.fixed_ip_address], [port, addr])
    assert.deepEqual((await stage.api.show('served')).addresses, container.addresses)
    assert.equal(await demo.ok(`appcontainer remove floating ip ${floating.floating_ip_address}`), '')
    const taken = await seen()
    assert.deepEqual([taken.port_id, taken.fixed_ip_address], [null, null])
  })

  it('are given to the fixed address that is named, and are free again when its network is detached', async () => {
    const { demo } = stage
    const container = await stage.api.show('served')
    const { addr, port } = addressIn(container)
    const line = `appcontainer add floating ip --fixed-ip-address ${addr} served ${floating.floating_ip_address}`
    await demo.ok(line)
    assert.equal((await seen()).port_id, port)
    await demo.ok('appcontainer network detach --network inside served')
    await stage.api.waitFor('served', (now) => Object.keys(now.addresses).length === 0)
    assert.equal((await seen()).port_id, null)
    assert.match(await demo.ok(line), new RegExp(`No port found for fixed IP address ${addr}`))
    await demo.ok('appcontainer network attach --network inside served')
    await stage.api.waitFor('served', (now) => now.addresses[inside] !== undefined && now.task_state === null)
  })

  it('do not keep a container from being deleted, and go on to another', async () => {
    const { demo } = stage
    await demo.ok(`appcontainer add floating ip served ${floating.floating_ip_address}`)
    assert.notEqual((await seen()).port_id, null)
    await demo.ok('appcontainer delete --stop served')
    await stage.api.waitGone('served')
    assert.equal((await seen()).port_id, null)
    const next = await stage.running('next', '--net network=inside')
    await demo.ok(`appcontainer add floating ip next ${floating.floating_ip_address}`)
    assert.equal((await seen()).port_id, addressIn(next).port)
  })

  it('stay with a port that was brought, when its container goes', async () => {
    const { demo } = stage
    const port = await place.make('ports', { name: 'brought', network_id: inside })
    const second = await place.make<FloatingIp>('floatingips', { floating_network_id: outside, port_id: port.id })
    await stage.running('guest', '--net port=brought')
    await demo.ok('appcontainer delete --stop guest')
    await stage.api.waitGone('guest')
    const path = `/v2.0/floatingips/${second.id}`
    const { floatingip: kept } = await place.cloud.demo.get<{ floatingip: FloatingIp }>('network', path)
    assert.equal(kept.port_id, port.id)
  })

  it('that are not there, and containers that are not, are said', async () => {
    const { demo } = stage
    const cases = [
      ['add floating ip next 198.51.100.250', /198\.51\.100\.250/],
      ['remove floating ip 198.51.100.250', /198\.51\.100\.250/],
      [`add floating ip nobody ${floating.floating_ip_address}`, /Container nobody could not be found/],
    ] as const
    for (const [line, why] of cases) assert.match(await demo.refused(`appcontainer ${line}`), why)
  })

  it('the network they are of is nobody’s usual one, and not for containers of members', async () => {
    const { demo } = stage
    assert.match(
      await demo.refused(`appcontainer create --net network=outside ${stage.busybox}`),
      /outside.*\(HTTP 403\)/,
    )
  })
}
