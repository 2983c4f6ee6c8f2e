/** Each service of the cloud dies in the middle of making and deleting a capsule with a port and volumes. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe } from 'node:test'
import { OBEDIENT } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests, type CloudStage } from './support/cloud-stage.ts'
import { BOTH, duringCut, eachCut, OF_DELETE, PATIENCE_MS, wasAccepted, type Cut } from './support/cuts.ts'
import { portsOfDevice } from './support/ports.ts'
import { dropVolume, holdersOf, makeVolume, volumesOf } from './support/volumes.ts'

interface CapsuleBody {
  readonly uuid: string
  readonly status: string
  readonly status_reason: string | null
}

const OF_CREATE: readonly Cut[] = [
  { service: 'glance', request: /^GET \/v2\/images/, moments: ['before'] },
  { service: 'neutron', request: /^GET \/v2.0\/networks/, moments: ['before'] },
  { service: 'neutron', request: /^POST \/v2.0\/ports/, moments: BOTH },
  { service: 'cinder', request: /^POST .*\/volumes$/, moments: BOTH },
  { service: 'cinder', request: /^POST .*\/attachments$/, moments: BOTH },
  { service: 'cinder', request: /^POST .*\/attachments\/.*\/action$/, moments: BOTH },
  { service: 'placement', request: /^PUT \/allocations/, moments: BOTH },
]

cloudTests(
  'a service of the cloud dies',
  (stage) => {
    describe('while a capsule', () => capsules(stage))
  },
  { conf: '[DEFAULT]\ndefault_image_driver = glance' },
)

function capsules(stage: CloudStage): void {
  let volume = ''
  before(async () => {
    volume = await makeVolume(stage.demo, 'zund-capsule')
  })
  afterEach(() => stage.region.restoreAll())
  after(async () => await dropVolume(stage.demo, volume))

  const create = async () =>
    await stage.api().call('POST', '/v1/capsules', { body: { template: templateWith(volume) } })
  const running = async (uuid: string): Promise<void> => {
    const api = stage.api()
    await until(
      'the capsule runs',
      async () => {
        const found = await api.expect<CapsuleBody>(200, 'GET', `/v1/capsules/${uuid}`)
        assert.notEqual(found.status, 'Error', found.status_reason ?? '')
        return found.status === 'Running'
      },
      PATIENCE_MS,
    )
    assert.equal((await portsOfDevice(stage.admin, uuid)).length, 1)
    const volumes = await volumesOf(stage.demo)
    assert.equal(volumes.length, 2)
    for (const { id } of volumes) assert.deepEqual(await holdersOf(stage.demo, id), [uuid])
  }
  const remove = async (uuid: string) => await stage.api().call('DELETE', `/v1/capsules/${uuid}`)
  const volumeGone = async (): Promise<void> => {
    const onlyKept = async () => (await volumesOf(stage.demo)).length === 1
    await until('its own volume is gone', onlyKept, PATIENCE_MS)
  }
  const gone = async (uuid: string): Promise<void> => {
    const isGone = async () => (await stage.api().call('GET', `/v1/capsules/${uuid}`)).status === 404
    await until('the capsule is gone', isGone, PATIENCE_MS)
    await volumeGone()
  }

  describe('is made', () => {
    eachCut(OF_CREATE, async (cut, moment) => {
      const answer = await duringCut(stage, cut, moment, create)
      if (!wasAccepted(answer)) {
        // Also one that was made for it, and of which the answer was lost.
        await volumeGone()
        return
      }
      const { uuid } = answer.body as CapsuleBody
      await running(uuid)
      await remove(uuid)
      await gone(uuid)
    })
  })

  describe('is deleted', () => {
    eachCut(OF_DELETE, async (cut, moment) => {
      const { uuid } = (await create()).body as CapsuleBody
      await running(uuid)
      assert.equal((await duringCut(stage, cut, moment, async () => remove(uuid))).status, 204)
      await gone(uuid)
    })
  })
}

function templateWith(volumeID: string): object {
  const [command, ...args] = OBEDIENT
  const member = (path: string) => ({
    image: 'busybox',
    command: [command],
    args,
    volumeMounts: [
      { name: 'kept', mountPath: path },
      { name: 'own', mountPath: '/own' },
    ],
  })
  return {
    kind: 'capsule',
    capsuleVersion: 'beta',
    metadata: { name: 'cut' },
    spec: {
      containers: [member('/one'), member('/two')],
      volumes: [
        { name: 'kept', cinder: { volumeID } },
        { name: 'own', cinder: { size: 1, autoRemove: true } },
      ],
    },
  }
}
