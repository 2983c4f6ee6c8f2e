/**
 * Each service of the cloud dies in the middle of what is done to a container that is there, and comes back: it finishes,
 * once, or is refused as for a service that is away; the container goes on either way.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe } from 'node:test'
import type { Answer } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests, type CloudStage } from './support/cloud-stage.ts'
import { BOTH, duringCut, eachCut, ended, PATIENCE_MS, wasAccepted, type Cut } from './support/cuts.ts'
import { portsOfDevice } from './support/ports.ts'
import type { CutMoment } from './support/service-front.ts'
import { holdersOf, volumesOf } from './support/volumes.ts'

const OF_ATTACH: readonly Cut[] = [
  { service: 'neutron', request: /^GET \/v2.0\/networks/, moments: ['before'] },
  { service: 'neutron', request: /^POST \/v2.0\/ports/, moments: BOTH },
]
const OF_DETACH: readonly Cut[] = [{ service: 'neutron', request: /^DELETE \/v2.0\/ports/, moments: BOTH }]
const OF_GROUP: readonly Cut[] = [
  { service: 'neutron', request: /^GET \/v2.0\/security-groups/, moments: ['before'] },
  { service: 'neutron', request: /^PUT \/v2.0\/ports/, moments: BOTH },
]
const OF_REMOVED_GROUP: readonly Cut[] = [{ service: 'neutron', request: /^PUT \/v2.0\/ports/, moments: BOTH }]
const OF_COMMIT: readonly Cut[] = [
  { service: 'glance', request: /^POST \/v2\/images$/, moments: BOTH },
  { service: 'glance', request: /^PUT \/v2\/images\/[0-9a-f-]+\/file$/, moments: BOTH },
]
const OF_START: readonly Cut[] = [{ service: 'cinder', request: /^GET .*\/attachments\/detail/, moments: ['before'] }]
const OF_RESIZE: readonly Cut[] = [
  { service: 'placement', request: /^GET \/allocations/, moments: ['before'] },
  { service: 'placement', request: /^PUT \/allocations/, moments: BOTH },
]
const OF_REBUILD: readonly Cut[] = [
  { service: 'glance', request: /^GET \/v2\/images/, moments: ['before'] },
  { service: 'neutron', request: /^GET \/v2.0\/ports/, moments: ['before'] },
  { service: 'cinder', request: /^GET .*\/attachments\/detail/, moments: ['before'] },
]

cloudTests('a service of the cloud dies', (stage) => {
  describe('while a container', () => changes(stage))
})

function changes(stage: CloudStage): void {
  let uuid = ''
  let group = ''
  before(async () => {
    const made = await stage.demo.post<{ security_group: { id: string } }>('network', '/v2.0/security-groups', {
      security_group: { name: 'zund-cuts' },
    })
    group = made.security_group.id
    const nets = [{ network: 'demo-net' }]
    uuid = (await stage.running({ nets, mounts: [{ size: 1, destination: '/own' }], memory: '128' })).uuid
    await stage.shell(uuid, 'echo kept > /own/file')
  })
  afterEach(async () => {
    stage.region.restoreAll()
    assert.equal(await stage.shell(uuid, 'cat /own/file'), 'kept\n')
    assert.equal((await portsOfDevice(stage.admin, uuid)).length, 1)
    const [volume, ...others] = await volumesOf(stage.demo)
    assert.deepEqual([await holdersOf(stage.demo, volume?.id ?? ''), others], [[uuid], []])
  })
  after(async () => {
    await stage.api().delete(uuid)
    await stage.demo.delete('network', `/v2.0/security-groups/${group}`)
  })

  const post = async (what: string): Promise<Answer> => {
    // What changes security groups is not in later ones.
    const version = what.includes('security_group') ? '1.14' : '1.40'
    return await stage.api().call('POST', `/v1/containers/${uuid}/${what}`, { version })
  }
  /** False: it was refused. */
  const cutIn = async (cut: Cut, moment: CutMoment, what: string): Promise<boolean> => {
    const isAccepted = wasAccepted(await duringCut(stage, cut, moment, async () => post(what)))
    if (isAccepted) await ended(stage, uuid)
    return isAccepted
  }
  const whole = async (what: string): Promise<void> => {
    const { status, text } = await post(what)
    assert.ok(status < 300, text)
    await ended(stage, uuid)
  }
  const networks = async (): Promise<number> => Object.keys((await stage.api().show(uuid)).addresses).length
  const groups = async (): Promise<readonly string[]> =>
    (await portsOfDevice(stage.admin, uuid)).flatMap(({ security_groups: ids }) => ids)

  describe('is put on a network', () => {
    eachCut(OF_ATTACH, async (cut, moment) => {
      if (!(await cutIn(cut, moment, 'network_attach?network=shared-net'))) return
      assert.deepEqual([await networks(), (await portsOfDevice(stage.admin, uuid)).length], [2, 2])
      await whole('network_detach?network=shared-net')
    })
  })

  describe('is taken off a network', () => {
    eachCut(OF_DETACH, async (cut, moment) => {
      await whole('network_attach?network=shared-net')
      assert.ok(await cutIn(cut, moment, 'network_detach?network=shared-net'))
      assert.equal(await networks(), 1)
    })
  })

  describe('gets a security group', () => {
    eachCut(OF_GROUP, async (cut, moment) => {
      if (!(await cutIn(cut, moment, 'add_security_group?name=zund-cuts'))) return
      assert.equal((await groups()).filter((id) => id === group).length, 1)
      await whole('remove_security_group?name=zund-cuts')
    })
  })

  describe('loses a security group', () => {
    eachCut(OF_REMOVED_GROUP, async (cut, moment) => {
      await whole('add_security_group?name=zund-cuts')
      assert.ok(await cutIn(cut, moment, 'remove_security_group?name=zund-cuts'))
      assert.ok(!(await groups()).includes(group))
    })
  })

  describe('is committed', () => {
    const images = async () =>
      (await stage.admin.get<{ images: { id: string; status: string }[] }>('image', '/v2/images?name=zund-cut')).images
    eachCut(OF_COMMIT, async (cut, moment) => {
      const isAccepted = await cutIn(cut, moment, 'commit?repository=zund-cut&tag=v1')
      if (!isAccepted) {
        await until('no image is left', async () => (await images()).length === 0, PATIENCE_MS)
        return
      }
      const [made, ...others] = await images()
      assert.deepEqual([made?.status, others], ['active', []])
      await stage.demo.delete('image', `/v2/images/${made?.id}`)
    })
  })

  describe('is started', () => {
    eachCut(OF_START, async (cut, moment) => {
      await whole('stop?timeout=1')
      assert.ok(await cutIn(cut, moment, 'start'))
      assert.equal((await stage.api().show(uuid)).status, 'Running')
    })
  })

  describe('is resized', () => {
    let memory = 128
    eachCut(OF_RESIZE, async (cut, moment) => {
      memory += 1
      const path = `/v1/containers/${uuid}/resize_container`
      const body = { memory: `${memory}` }
      assert.ok(wasAccepted(await duringCut(stage, cut, moment, async () => stage.api().call('POST', path, { body }))))
      await until(
        'it has its new size',
        async () => (await stage.api().show(uuid))['memory'] === body.memory,
        PATIENCE_MS,
      )
      const { allocations } = await stage.admin.get<{ allocations: Record<string, { resources: unknown }> }>(
        'placement',
        `/allocations/${uuid}`,
      )
      assert.deepEqual(
        Object.values(allocations).map(({ resources }) => resources),
        [{ MEMORY_MB: memory, VCPU: 1 }],
      )
    })
  })

  describe('is made anew', () => {
    eachCut(OF_REBUILD, async (cut, moment) => {
      if (!(await cutIn(cut, moment, 'rebuild'))) return
      assert.equal((await stage.api().show(uuid)).status, 'Running')
    })
  })
}
