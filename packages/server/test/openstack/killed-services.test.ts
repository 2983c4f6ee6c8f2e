/** Programs of the cloud are killed for real, and started again: not only is nobody there, what they were at is broken off. */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { afterEach, it } from 'node:test'
import { answers } from '../../../../tools/openstack/daemons.ts'
import { killDaemon, startAgain } from '../../../../tools/openstack/kill-daemon.ts'
import { Places, URLS } from '../../../../tools/openstack/places.ts'
import { OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudsYaml } from './support/accounts.ts'
import { cloudTests } from './support/cloud-stage.ts'
import { portsOfDevice } from './support/ports.ts'
import { holdersOf, volumesOf } from './support/volumes.ts'

/** A call within Cinder takes a minute to find out that nobody answers. */
const PATIENCE_MS = 240_000

cloudTests('a program of the cloud is killed', (stage) => {
  const places = new Places(dirname(cloudsYaml()))
  let dead: string | undefined
  const kill = async (name: string): Promise<void> => {
    await killDaemon(places, name)
    dead = name
  }
  const revive = async (isThere: () => Promise<boolean>): Promise<void> => {
    if (dead === undefined) return
    const started = startAgain(places, dead)
    dead = undefined
    await started.ready(isThere)
  }
  /** Without its agent Neutron binds no port; one that has not been heard of for long counts as dead. */
  const bindsAgain = async (): Promise<boolean> => {
    if (!(await answers(URLS.network))) return false
    const { agents } = await stage.admin.get<{ agents: Agent[] }>('network', '/v2.0/agents')
    return agents.every(({ alive }) => alive)
  }
  afterEach(async () => {
    stage.region.restoreAll()
    await revive(async () => await answers(URLS.network))
  })

  const create = async (body: object): Promise<string> => {
    const { uuid } = await stage.api().expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
      body: { image: 'busybox', image_driver: 'glance', command: OBEDIENT, ...body },
    })
    return uuid
  }
  const runs = async (uuid: string): Promise<void> => {
    await stage.api().waitFor(uuid, ({ status }) => status === 'Running', PATIENCE_MS)
  }
  const isDeleted = async (uuid: string): Promise<void> => await stage.api().waitGone(uuid, PATIENCE_MS)

  it('Neutron, which has made a port and told nobody: the port is found, and there is one', async () => {
    const front = stage.region.front('neutron')
    const made = front.cutAt(/^POST \/v2.0\/ports/, 'after')
    const uuid = await create({ nets: [{ network: 'demo-net' }] })
    await made
    await kill('neutron-server')
    await revive(bindsAgain)
    front.restore()
    await runs(uuid)
    assert.equal((await portsOfDevice(stage.admin, uuid)).length, 1)
    await stage.api().expect(204, 'DELETE', `/v1/containers/${uuid}?stop=true`)
    await isDeleted(uuid)
  })

  it('the part of Cinder that has the volumes, while one is attached and while it is detached', async () => {
    const front = stage.region.front('cinder')
    const attaching = front.passing(/^POST .*\/attachments$/)
    const uuid = await create({ mounts: [{ size: 1, destination: '/own' }] })
    await attaching
    await kill('cinder-volume')
    await revive(async () => true)
    await runs(uuid)
    const [volume, ...others] = await volumesOf(stage.demo)
    assert.deepEqual([await holdersOf(stage.demo, volume?.id ?? ''), others], [[uuid], []])
    const detaching = front.passing(/^DELETE .*\/attachments/)
    await stage.api().expect(204, 'DELETE', `/v1/containers/${uuid}?stop=true`)
    await detaching
    await kill('cinder-volume')
    await revive(async () => true)
    await isDeleted(uuid)
    await until('the volume is gone', async () => (await volumesOf(stage.demo)).length === 0)
  })
})

interface Agent {
  readonly alive: boolean
}
