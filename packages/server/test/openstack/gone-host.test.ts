/** A host that is removed for good goes from Placement with its service, also when Placement is away at that moment. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { ApiClient, type ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { CloudUser } from './support/cloud-user.ts'
import { controllerAndHost, type ControllerAndHost } from './support/controller-and-host.ts'

/** Between two looks of the conductor. */
const SWEPT_MS = 90_000
const REMOVE = `/v1/services?host=${hostname()}&binary=zun-compute`

describe('a host that is removed for good', () => {
  const name = hostname()
  let admin: CloudUser
  let both: ControllerAndHost
  let api: ApiClient

  before(async () => {
    admin = await CloudUser.login('admin')
    both = await controllerAndHost(admin, { downTimeS: 3 })
    api = new ApiClient(both.on.baseUrl, admin.token, admin.projectId)
  })
  after(async () => both.close())

  const providers = async (): Promise<number> =>
    (await admin.get<{ resource_providers: unknown[] }>('placement', `/resource_providers?name=${name}`))
      .resource_providers.length

  const isDown = async (): Promise<boolean> => {
    const { services } = await api.expect<{ services: { state: string }[] }>(200, 'GET', '/v1/services')
    return services.every(({ state }) => state === 'down')
  }

  const leave = async (): Promise<void> => {
    await both.host.stop()
    await until('it counts as down', isDown)
  }

  it('takes its provider along, and reports a new one should it come back', async () => {
    await until('it has a provider', async () => (await providers()) === 1)
    await leave()
    await api.expect(200, 'DELETE', REMOVE)
    await until('its provider is gone', async () => (await providers()) === 0)
    await both.host.start()
    await until('it has a provider again', async () => (await providers()) === 1)
  })

  it('keeps it while Placement is away, which is told, and loses it afterwards, whoever died meanwhile', async () => {
    await leave()
    const placement = both.region.front('placement')
    placement.away()
    await api.expect(200, 'DELETE', REMOVE)
    await both.controller.says(/the provider of a host that is gone could not be removed yet/)
    await both.controller.kill()
    placement.restore()
    assert.equal(await providers(), 1)
    // Taken away, and nobody heard of it.
    const died = placement.cutAt(/^DELETE \/resource_providers\//, 'after')
    await both.controller.start()
    await died
    await both.controller.says(/could not be removed yet/)
    placement.restore()
    await until(
      'nothing is to be done any more',
      async () => /has no provider any more/.test(both.controller.said),
      SWEPT_MS,
    )
    assert.equal(await providers(), 0)
  })

  it('keeps it as long as a container is recorded there', async () => {
    await both.host.start()
    await both.host.says(/ working /)
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
    await both.controller.says(/containers still hold of the provider of a host that is gone/)
    assert.equal(await providers(), 1)
    await both.host.start()
    await both.host.says(/ working /)
    await api.delete(uuid)
  })
})
