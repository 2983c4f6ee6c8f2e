/** A host that is removed for good goes from Placement with its service, also when Placement is away at that moment. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { ApiClient, type ContainerBody } from '../support/api-client.ts'
import { RoleDeployment } from '../support/role-deployment.ts'
import type { RoleProcess } from '../support/role-process.ts'
import { until } from '../support/until.ts'
import { cloudGroups } from './support/cloud-conf.ts'
import { forgetHost } from './support/cloud-stage.ts'
import { CloudUser } from './support/cloud-user.ts'
import { Region } from './support/region.ts'

/** Between two looks of the conductor. */
const SWEPT_MS = 90_000
const REMOVE = `/v1/services?host=${hostname()}&binary=zun-compute`

describe('a host that is removed for good', () => {
  const name = hostname()
  let admin: CloudUser
  let region: Region
  let on: RoleDeployment
  let controller: RoleProcess
  let host: RoleProcess
  let api: ApiClient

  before(async () => {
    admin = await CloudUser.login('admin')
    await forgetHost(admin)
    on = await RoleDeployment.make()
    region = await Region.open(admin, `zund-${on.apiPort}`)
    const cloud = cloudGroups({ authUrl: region.authUrl, region: region.name })
    controller = on.role('api', on.configure('in-a-cloud', { ...cloud, DEFAULT: { service_down_time: 3 } }))
    host = (await on.host(name, { conf: cloud })).process
    await Promise.all([controller.start(), host.start()])
    api = new ApiClient(on.baseUrl, admin.token, admin.projectId)
    await host.says(/ working /)
  })

  after(async () => {
    try {
      await on.destroy()
      await forgetHost(admin)
    } finally {
      await region.close()
    }
  })

  const providers = async (): Promise<number> =>
    (await admin.get<{ resource_providers: unknown[] }>('placement', `/resource_providers?name=${name}`))
      .resource_providers.length

  const isDown = async (): Promise<boolean> => {
    const { services } = await api.expect<{ services: { state: string }[] }>(200, 'GET', '/v1/services')
    return services.every(({ state }) => state === 'down')
  }

  const leave = async (): Promise<void> => {
    await host.stop()
    await until('it counts as down', isDown)
  }

  it('takes its provider along, and reports a new one should it come back', async () => {
    await until('it has a provider', async () => (await providers()) === 1)
    await leave()
    await api.expect(200, 'DELETE', REMOVE)
    await until('its provider is gone', async () => (await providers()) === 0)
    await host.start()
    await until('it has a provider again', async () => (await providers()) === 1)
  })

  it('keeps it while Placement is away, which is told, and loses it afterwards, whoever died meanwhile', async () => {
    await leave()
    const placement = region.front('placement')
    placement.away()
    await api.expect(200, 'DELETE', REMOVE)
    await controller.says(/the provider of a host that is gone could not be removed yet/)
    await controller.kill()
    placement.restore()
    assert.equal(await providers(), 1)
    // Taken away, and nobody heard of it.
    const died = placement.cutAt(/^DELETE \/resource_providers\//, 'after')
    await controller.start()
    await died
    await controller.says(/could not be removed yet/)
    placement.restore()
    await until(
      'nothing is to be done any more',
      async () => /has no provider any more/.test(controller.said),
      SWEPT_MS,
    )
    assert.equal(await providers(), 0)
  })

  it('keeps it as long as a container is recorded there', async () => {
    await host.start()
    await host.says(/ working /)
    await until('it has a provider', async () => (await providers()) === 1)
    const body = { image: 'busybox', image_driver: 'glance', command: ['sleep', '1000'], nets: [] }
    const uuid = await until('what it has is known, and a container finds room', async () => {
      const made = await api.expect<ContainerBody>(202, 'POST', '/v1/containers', { body })
      if (made.status !== 'Error') return made.uuid
      await api.delete(made.uuid)
      return false
    })
    await api.waitFor(uuid, ({ status }) => status === 'Created')
    await leave()
    await api.expect(200, 'DELETE', REMOVE)
    await controller.says(/containers still hold of the provider of a host that is gone/)
    assert.equal(await providers(), 1)
    await host.start()
    await host.says(/ working /)
    await api.delete(uuid)
  })
})
