/** What the other files of this suite take for granted of the services they use. */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { until } from '../support/until.ts'
import { CloudUser } from './support/cloud-user.ts'

describe('the services of the suite', () => {
  let admin: CloudUser
  let demo: CloudUser

  before(async () => {
    admin = await CloudUser.login('admin')
    demo = await CloudUser.login('demo')
  })

  it('have accounts of an administrator, of two tenants and of the service', async () => {
    const [other, zun] = [await CloudUser.login('alt_demo'), await CloudUser.login('zun')]
    assert.ok(admin.roles.includes('admin'))
    assert.ok(!demo.roles.includes('admin') && !other.roles.includes('admin'))
    assert.notEqual(demo.projectId, other.projectId)
    for (const role of ['admin', 'service']) assert.ok(zun.roles.includes(role), role)
  })

  it('have an image that a container engine can load', async () => {
    const { images } = await demo.get<{ images: { container_format: string; disk_format: string; status: string }[] }>(
      'image',
      '/v2/images?name=busybox',
    )
    assert.deepEqual(
      images.map(({ container_format, disk_format, status }) => [container_format, disk_format, status]),
      [['docker', 'raw', 'active']],
    )
  })

  it('have a network of one project and one that all share', async () => {
    const other = await CloudUser.login('alt_demo')
    const names = async (user: CloudUser): Promise<string[]> => {
      const { networks } = await user.get<{ networks: { name: string }[] }>('network', '/v2.0/networks')
      return networks.map(({ name }) => name).toSorted()
    }
    assert.deepEqual(await names(demo), ['demo-net', 'shared-net'])
    assert.deepEqual(await names(other), ['shared-net'])
  })

  it('make a volume of the size that is asked for', async () => {
    const body = { volume: { size: 1, name: 'bring-up' } }
    const { volume } = await demo.post<{ volume: { id: string } }>('volumev3', '/volumes', body)
    await until('the volume is available', async () => {
      const now = await demo.get<{ volume: { status: string } }>('volumev3', `/volumes/${volume.id}`)
      assert.notEqual(now.volume.status, 'error')
      return now.volume.status === 'available'
    })
    await demo.delete('volumev3', `/volumes/${volume.id}`)
    await until('the volume is gone', async () => {
      return (await demo.call('volumev3', 'GET', `/volumes/${volume.id}`)).status === 404
    })
  })

  it('take the inventory of a resource provider', async () => {
    const made = await admin.post<{ uuid: string }>('placement', '/resource_providers', { name: 'bring-up' })
    await admin.put('placement', `/resource_providers/${made.uuid}/inventories`, {
      resource_provider_generation: 0,
      inventories: { VCPU: { total: 4 }, MEMORY_MB: { total: 1024 } },
    })
    await admin.delete('placement', `/resource_providers/${made.uuid}`)
    assert.equal((await demo.call('placement', 'GET', '/resource_providers')).status, 403)
  })
})
