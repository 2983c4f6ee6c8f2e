/** What Placement shows of a container, from its create to its delete, and what becomes of both while it is away. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests, type CloudStage } from './support/cloud-stage.ts'

const IMAGE = { image: 'busybox', image_driver: 'glance', command: OBEDIENT, nets: [] }

interface Allocations {
  readonly allocations: Readonly<Record<string, { readonly resources: Readonly<Record<string, number>> }>>
  readonly project_id?: string
  readonly user_id?: string
}

async function held({ admin }: CloudStage, uuid: string) {
  const found = await admin.get<Allocations>('placement', `/allocations/${uuid}`)
  const { project_id: project, user_id: user } = found
  return { resources: Object.values(found.allocations).map(({ resources }) => resources), project, user }
}

cloudTests('an allocation of Placement', (stage) => {
  it('is there as long as the container, in the name of its user, and follows its size', async () => {
    const api = stage.api()
    const { uuid } = await stage.running({ ...IMAGE, cpu: 0.5, memory: '64' })
    const { projectId, userId } = stage.demo
    assert.deepEqual(await held(stage, uuid), {
      resources: [{ VCPU: 1, MEMORY_MB: 64 }],
      project: projectId,
      user: userId,
    })
    await api.expect(200, 'PATCH', `/v1/containers/${uuid}`, { body: { memory: '96', cpu: 1.5 } })
    assert.deepEqual((await held(stage, uuid)).resources, [{ VCPU: 2, MEMORY_MB: 96 }])
    await api.expect(200, 'PATCH', `/v1/containers/${uuid}`, { body: { memory: '64', cpu: 1 } })
    // Sooner than the next sweep, which comes once in a minute.
    await until('it has become smaller', async () => {
      return isDeepStrictEqual((await held(stage, uuid)).resources, [{ VCPU: 1, MEMORY_MB: 64 }])
    })
    await api.delete(uuid)
    assert.deepEqual((await held(stage, uuid)).resources, [])
  })

  it('is not made while Placement is away: there is no host, and nothing is left of the request', async () => {
    const api = stage.api()
    stage.region.front('placement').away()
    const refused = await api.expect<ContainerBody>(202, 'POST', '/v1/containers', { body: IMAGE })
    stage.region.restoreAll()
    const { status, status_reason: reason } = await api.show(refused.uuid)
    assert.equal(status, 'Error')
    assert.match(reason ?? '', /^There are not enough hosts available\./)
    await api.delete(refused.uuid)
    const { uuid } = await stage.running(IMAGE)
    await api.delete(uuid)
  })

  it('is made, and taken back, as soon as a Placement is there again that died in the middle', async () => {
    const api = stage.api()
    const placement = stage.region.front('placement')
    const write = /^PUT \/allocations\//
    for (const moment of ['before', 'after'] as const) {
      const died = placement.cutAt(write, moment)
      const { uuid } = await api.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', { body: IMAGE })
      await died
      placement.restore()
      await api.waitFor(uuid, (found) => found.status === 'Running')
      assert.equal((await held(stage, uuid)).resources.length, 1)
      const again = placement.cutAt(write, moment)
      await api.expect(204, 'DELETE', `/v1/containers/${uuid}?stop=true`)
      await again
      placement.restore()
      await until('it is gone', async () => (await api.call('GET', `/v1/containers/${uuid}`)).status === 404)
      assert.deepEqual((await held(stage, uuid)).resources, [])
    }
  })
})
