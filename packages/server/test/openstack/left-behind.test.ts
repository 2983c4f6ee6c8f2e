/**
 * A delete by force does not wait for services of the cloud that are away. What it leaves there is given back when they
 * have come again, without anybody doing anything, also when the service has died meanwhile.
 */
import assert from 'node:assert/strict'
import { afterEach, it } from 'node:test'
import { until } from '../support/until.ts'
import { cloudTests } from './support/cloud-stage.ts'
import { makePort, portsOfDevice, showPort } from './support/ports.ts'
import { dropVolume, makeVolume, showVolume, volumesOf } from './support/volumes.ts'

const AWAY = ['neutron', 'cinder'] as const
/** More than between two tries. */
const PATIENCE_MS = 90_000

cloudTests('what a delete by force leaves in a cloud', (stage) => {
  afterEach(() => stage.region.restoreAll())

  for (const dies of [false, true]) {
    it(`is given back when the cloud has come again${dies ? ', by the next life of the service' : ''}`, async () => {
      const { demo, admin, region, zund } = stage
      const volume = await makeVolume(demo, 'zund-kept')
      const port = await makePort(demo, 'shared-net')
      const { uuid } = await stage.running({
        nets: [{ network: 'demo-net' }, { port }],
        exposed_ports: { '80/tcp': {} },
        mounts: [
          { source: volume, destination: '/data' },
          { size: 1, destination: '/own' },
        ],
      })
      assert.equal((await volumesOf(demo)).length, 2)
      for (const name of AWAY) region.front(name).away()
      const path = `/v1/containers/${uuid}?force=true&all_projects=true`
      await stage.api(admin).expect(204, 'DELETE', path)
      await stage.api().waitGone(uuid)
      if (dies) {
        await zund.kill()
        await zund.up()
      }
      assert.equal((await portsOfDevice(admin, uuid)).length, 2)
      assert.deepEqual(
        (await volumesOf(demo)).map(({ status }) => status),
        ['in-use', 'in-use'],
      )
      region.restoreAll()
      await until('its ports are given back', async () => (await portsOfDevice(admin, uuid)).length === 0, PATIENCE_MS)
      assert.equal((await showPort(demo, port)).device_owner, '')
      await until(
        'its own volume is gone, and the other one free',
        async () => (await volumesOf(demo)).length === 1 && (await showVolume(demo, volume)).status === 'available',
        PATIENCE_MS,
      )
      await dropVolume(demo, volume)
      await demo.delete('network', `/v2.0/ports/${port}`)
    })
  }
})
