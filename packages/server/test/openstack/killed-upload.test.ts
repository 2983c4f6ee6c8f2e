/** Glance is killed while it is sent a snapshot: it can neither finish that image nor begin it anew. */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { it } from 'node:test'
import { answers } from '../../../../tools/openstack/daemons.ts'
import { killDaemon, startAgain } from '../../../../tools/openstack/kill-daemon.ts'
import { Places, URLS } from '../../../../tools/openstack/places.ts'
import { until } from '../support/until.ts'
import { cloudsYaml } from './support/accounts.ts'
import { cloudTests } from './support/cloud-stage.ts'

/** So much that it is killed long before it has all. */
const SNAPSHOT_MIB = 200
const PATIENCE_MS = 120_000

cloudTests(
  'Glance is killed in the middle of an upload',
  (stage) => {
    it('the commit fails with the reason, and no image is left', async () => {
      const { demo } = stage
      const api = stage.api()
      const { uuid } = await stage.running()
      await stage.shell(uuid, `dd if=/dev/urandom of=/much bs=1M count=${SNAPSHOT_MIB}`)
      const path = `/v1/containers/${uuid}/commit?repository=zund-cut-off&tag=v1`
      const { uuid: image } = await api.expect<{ uuid: string }>(202, 'POST', path)
      const statusOf = async (): Promise<string> =>
        (await demo.get<{ status: string }>('image', `/v2/images/${image}`)).status
      await until('it is being sent', async () => (await statusOf()) === 'saving', PATIENCE_MS)
      const places = new Places(dirname(cloudsYaml()))
      await killDaemon(places, 'glance-api')
      await startAgain(places, 'glance-api').ready(async () => await answers(URLS.image))
      assert.equal(await statusOf(), 'saving')
      const images = async (): Promise<unknown[]> =>
        (await demo.get<{ images: unknown[] }>('image', '/v2/images?name=zund-cut-off')).images
      await until('the image is gone', async () => (await images()).length === 0, PATIENCE_MS)
      const { status, status_reason: reason } = await api.show(uuid)
      assert.deepEqual([status, reason], ['Running', `image ${image} is saving`])
      await api.delete(uuid)
    })
  },
  { conf: '[zund]\noperation_retry_time = 20' },
)
