/** A volume that several containers of a host have at once, while the service dies and they come and go. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests } from './support/cloud-stage.ts'
import { Deaths } from './support/deaths.ts'
import { dropVolume, holdersOf, makeVolume, showVolume } from './support/volumes.ts'

cloudTests('a volume that may be attached several times', (stage) => {
  it('is shared, survives what dies, and is given back with the last container', async () => {
    const { demo } = stage
    const deaths = await Deaths.of(stage.zund)
    const volume = await makeVolume(demo, 'zund-shared', { volume_type: 'shared' })
    const body = { mounts: [{ source: volume, destination: '/data' }] }
    const created = async (): Promise<string> => {
      const whole = { image: 'busybox', image_driver: 'glance', command: OBEDIENT, ...body }
      const path = '/v1/containers?run=true'
      return (await stage.api().expect<ContainerBody>(202, 'POST', path, { body: whole })).uuid
    }
    const running = async (uuid: string): Promise<void> => {
      await stage.api().waitFor(uuid, ({ status }) => status === 'Running')
    }
    const heldBy = async (...uuids: readonly string[]): Promise<void> => {
      assert.deepEqual((await holdersOf(demo, volume)).toSorted(), uuids.toSorted())
    }

    const { uuid: first } = await stage.running(body)
    await stage.shell(first, 'echo of the first >> /data/log')
    let second = ''
    await deaths.at('step:attachVolumes:applied', async () => {
      second = await created()
    })
    await running(second)
    await heldBy(first, second)
    await stage.shell(second, 'echo of the second >> /data/log')
    assert.equal(await stage.shell(first, 'cat /data/log'), 'of the first\nof the second\n')

    await deaths.at('step:detachVolumes:journaled', async () => {
      await stage.api().expect(204, 'DELETE', `/v1/containers/${first}?stop=true`)
    })
    await stage.api().waitGone(first)
    await heldBy(second)
    await stage.shell(second, 'echo alone >> /data/log')

    // One comes while the other goes.
    await stage.api().expect(204, 'DELETE', `/v1/containers/${second}?stop=true`)
    const third = await created()
    await stage.api().waitGone(second)
    await running(third)
    await heldBy(third)
    assert.equal(await stage.shell(third, 'cat /data/log'), 'of the first\nof the second\nalone\n')
    const fourth = await created()
    await running(fourth)
    await heldBy(third, fourth)
    for (const uuid of [third, fourth]) await stage.api().expect(204, 'DELETE', `/v1/containers/${uuid}?stop=true`)
    for (const uuid of [third, fourth]) await stage.api().waitGone(uuid)
    await until('it is given back', async () => (await showVolume(demo, volume)).status === 'available')
    await dropVolume(demo, volume)
  })
})
