/** Volumes of the block storage service from the request to the container and back. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests, type CloudStage } from './support/cloud-stage.ts'
import { dropVolume, holdersOf, makeVolume, showVolume, volumesOf } from './support/volumes.ts'

async function run(stage: CloudStage, uuid: string, command: string): Promise<string> {
  const { output } = await stage
    .api()
    .expect<{ output: string }>(
      200,
      'POST',
      `/v1/containers/${uuid}/execute?${new URLSearchParams({ command }).toString()}`,
    )
  return output
}

cloudTests(
  'volumes of the cloud',
  (stage) => {
    it('keep their data from one container to the next, and are in use as long as one has them', async () => {
      const { demo } = stage
      const api = stage.api()
      const id = await makeVolume(demo, 'zund-kept')
      const first = await stage.running({ mounts: [{ source: 'zund-kept', destination: '/data' }] })
      const { status, attachments } = await showVolume(demo, id)
      assert.deepEqual([status, attachments.map(({ server_id: server }) => server)], ['in-use', [first.uuid]])
      await run(stage, first.uuid, 'sh -c "echo kept > /data/file"')
      const refused = await api.call('POST', '/v1/containers', {
        body: { image: 'busybox', image_driver: 'glance', mounts: [{ source: id, destination: '/data' }] },
      })
      assert.equal(refused.status, 400)
      assert.match(refused.text, new RegExp(`Volume ${id} is in use by ${first.uuid}`))
      await api.delete(first.uuid)
      await until('it is free', async () => (await showVolume(demo, id)).status === 'available')
      const second = await stage.running({ mounts: [{ source: id, destination: '/data' }] })
      assert.match(await run(stage, second.uuid, 'cat /data/file'), /^kept/)
      await api.delete(second.uuid)
      await dropVolume(demo, id)
    })

    it('come with a size and go with their container', async () => {
      const { demo } = stage
      const before = await volumesOf(demo)
      const { uuid } = await stage.running({
        mounts: [
          { size: 1, destination: '/data' },
          { type: 'bind', source: Buffer.from('a file').toString('base64'), destination: '/etc/own' },
        ],
      })
      const [made, ...others] = (await volumesOf(demo)).filter(({ id }) => !before.some((one) => one.id === id))
      assert.deepEqual([made?.size, made?.name, made?.status, others], [1, null, 'in-use', []])
      assert.match(await run(stage, uuid, 'df -k /data'), /\/data/)
      assert.match(await run(stage, uuid, 'cat /etc/own'), /^a file/)
      await stage.api().delete(uuid)
      await until('it is gone', async () => !(await volumesOf(demo)).some(({ id }) => id === made?.id))
    })

    it('that cannot be are refused before anything is recorded or made', async () => {
      const { demo, alt } = stage
      const api = stage.api()
      const theirs = await makeVolume(alt, 'zund-theirs')
      await makeVolume(demo, 'zund-twice').then(async (one) => {
        const two = await makeVolume(demo, 'zund-twice')
        const before = (await volumesOf(demo)).map(({ id }) => id)
        const rows: readonly [object, number, RegExp][] = [
          [{ source: 'no-such-volume', destination: '/d' }, 404, /no-such-volume could not be found/],
          [{ source: theirs, destination: '/d' }, 404, new RegExp(theirs)],
          [{ source: 'zund-twice', destination: '/d' }, 409, /Multiple volumes exist with name/],
          [{ size: 2_000, destination: '/d' }, 400, /could not be created: .*(quota|exceed)/i],
        ]
        for (const [mount, status, text] of rows) {
          const answer = await api.call('POST', '/v1/containers', {
            // The first is made, and must go again.
            body: { image: 'busybox', image_driver: 'glance', mounts: [{ size: 1, destination: '/first' }, mount] },
          })
          assert.equal(answer.status, status, answer.text)
          assert.match(answer.text, text)
        }
        await until('what was made for a refused request is gone', async () => {
          const now = (await volumesOf(demo)).map(({ id }) => id)
          return now.every((id) => before.includes(id))
        })
        await dropVolume(demo, one)
        await dropVolume(demo, two)
      })
      const { containers } = await api.expect<{ containers: ContainerBody[] }>(200, 'GET', '/v1/containers')
      assert.deepEqual(containers, [])
      await dropVolume(alt, theirs)
    })

    it('of a capsule are attached once, and go with it where that was asked for', async () => {
      const { demo } = stage
      const api = stage.api()
      const id = await makeVolume(demo, 'zund-capsule')
      const member = (path: string) => ({
        image: 'busybox',
        command: OBEDIENT,
        volumeMounts: [
          { name: 'kept', mountPath: path },
          { name: 'own', mountPath: '/own' },
        ],
      })
      const template = {
        kind: 'capsule',
        capsuleVersion: 'beta',
        metadata: { name: 'with-volumes' },
        spec: {
          containers: [member('/one'), member('/two')],
          volumes: [
            { name: 'kept', cinder: { volumeID: id } },
            { name: 'own', cinder: { size: 1, autoRemove: true } },
          ],
        },
      }
      const { uuid } = await api.expect<{ uuid: string }>(202, 'POST', '/v1/capsules', { body: { template } })
      await until('the capsule runs', async () => {
        const found = await api.expect<{ status: string; status_reason: string | null }>(
          200,
          'GET',
          `/v1/capsules/${uuid}`,
        )
        assert.notEqual(found.status, 'Error', found.status_reason ?? '')
        return found.status === 'Running'
      })
      assert.deepEqual(await holdersOf(demo, id), [uuid])
      await api.expect(204, 'DELETE', `/v1/capsules/${uuid}`)
      await dropVolume(demo, id)
    })
  },
  { conf: '[DEFAULT]\ndefault_image_driver = glance' },
)
