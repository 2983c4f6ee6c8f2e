/**
 * A host that is removed for good while a container on it has volumes and ports of the cloud. They are given back without it;
 * when it comes again after all, it lets go of what it still has, and does not mount what somebody else may have by now.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { ApiClient, OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'
import { assertUnchanged, cloudState, type CloudState } from './support/cloud-state.ts'
import { CloudUser } from './support/cloud-user.ts'
import { controllerAndHost, type ControllerAndHost } from './support/controller-and-host.ts'
import { portsOfDevice } from './support/ports.ts'
import { dropVolume, makeVolume, showVolume, volumesOf } from './support/volumes.ts'

/** More than between two looks of the conductor. */
const PATIENCE_MS = 120_000

describe('a host that is removed for good', () => {
  const name = hostname()
  let admin: CloudUser
  let demo: CloudUser
  let both: ControllerAndHost
  let earlier: CloudState

  before(async () => {
    admin = await CloudUser.login('admin')
    demo = await CloudUser.login('demo')
    both = await controllerAndHost(admin, { downTimeS: 20 })
    earlier = await state()
  })
  after(async () => both.close())

  const state = async (): Promise<CloudState> =>
    await cloudState({ admin, engine: new TestEngine(), directory: both.on.directory })
  const as = (user: CloudUser): ApiClient => new ApiClient(both.on.baseUrl, user.token, user.projectId)
  const isMounted = (volume: string): boolean => readFileSync('/proc/self/mounts', 'utf8').includes(volume)

  it('leaves nothing attached, and takes nothing back', async () => {
    const volume = await makeVolume(demo, 'zund-lost')
    const { uuid } = await as(demo).expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
      body: {
        image: 'busybox',
        image_driver: 'glance',
        command: OBEDIENT,
        nets: [{ network: 'demo-net' }],
        mounts: [
          { source: volume, destination: '/data' },
          { size: 1, destination: '/own' },
        ],
      },
    })
    await as(demo).waitFor(uuid, ({ status }) => status === 'Running')
    await both.host.kill()
    await until(
      'it counts as down',
      async () => {
        const { services } = await as(admin).expect<{ services: { state: string }[] }>(200, 'GET', '/v1/services')
        return services.every(({ state: seen }) => seen === 'down')
      },
      PATIENCE_MS,
    )
    await as(admin).expect(200, 'DELETE', `/v1/services?host=${name}&binary=zun-compute`)
    await as(demo).expect(204, 'DELETE', `/v1/containers/${uuid}?stop=true`)
    await as(demo).waitGone(uuid)
    const isFree = async (): Promise<boolean> =>
      (await volumesOf(demo)).length === 1 && (await showVolume(demo, volume)).status === 'available'
    await until('its own volume is gone, and the other one free', isFree, PATIENCE_MS)
    await until('its port is gone', async () => (await portsOfDevice(admin, uuid)).length === 0, PATIENCE_MS)
    assert.ok(isMounted(volume))
    await both.host.start()
    await both.host.says(/ working /)
    await until('it has let go', async () => !isMounted(volume))
    await dropVolume(demo, volume)
    await assertUnchanged(earlier, state)
  })
})
