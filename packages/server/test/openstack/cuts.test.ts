/**
 * Each service of the cloud dies in the middle of each operation and comes back: what was accepted finishes, or ends in
 * Error with a reason; what was not is refused as a service that is away; and nothing is left in any of them.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, it } from 'node:test'
import { OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests } from './support/cloud-stage.ts'
import { CloudUser } from './support/cloud-user.ts'
import { BOTH, duringCut, eachCut, OF_DELETE, PATIENCE_MS, wasAccepted, type Cut } from './support/cuts.ts'

const OF_CREATE: readonly Cut[] = [
  { service: 'glance', request: /^GET \/v2\/images\?/, moments: ['before'] },
  { service: 'glance', request: /^GET \/v2\/images\/[0-9a-f-]+$/, moments: ['before'] },
  { service: 'neutron', request: /^GET \/v2.0\/networks/, moments: ['before'] },
  { service: 'neutron', request: /^POST \/v2.0\/ports/, moments: BOTH },
  { service: 'cinder', request: /^POST .*\/volumes$/, moments: BOTH },
  { service: 'cinder', request: /^POST .*\/attachments$/, moments: BOTH },
  { service: 'cinder', request: /^POST .*\/attachments\/.*\/action$/, moments: BOTH },
  { service: 'placement', request: /^GET \/allocation_candidates/, moments: ['before'] },
  { service: 'placement', request: /^PUT \/allocations/, moments: BOTH },
]

const BODY = {
  image: 'busybox',
  image_driver: 'glance',
  command: OBEDIENT,
  nets: [{ network: 'demo-net' }],
  mounts: [{ size: '1', destination: '/data' }],
}

cloudTests('a service of the cloud dies', (stage) => {
  afterEach(() => stage.region.restoreAll())

  async function settled(uuid: string): Promise<ContainerBody> {
    const api = stage.api()
    const isSettled = ({ status, task_state: task }: ContainerBody): boolean =>
      task === null && (status === 'Running' || status === 'Error')
    const found = await until(
      `container ${uuid} is settled`,
      async () => {
        const now = await api.show(uuid)
        return isSettled(now) && now
      },
      PATIENCE_MS,
    )
    if (found.status === 'Error') assert.ok((found.status_reason ?? '').length > 0, 'Error without a reason')
    return found
  }

  async function gone(uuid: string): Promise<void> {
    const api = stage.api()
    await until(
      `container ${uuid} is gone`,
      async () => {
        const { status, body } = await api.call('GET', `/v1/containers/${uuid}`)
        if (status === 404) return true
        const { status: state, status_reason: reason, task_state: task } = body as ContainerBody
        if (state !== 'Error' || task !== null) return false
        assert.ok((reason ?? '').length > 0, 'Error without a reason')
        await api.call('DELETE', `/v1/containers/${uuid}?stop=true`)
        return false
      },
      PATIENCE_MS,
    )
  }

  describe('while a container is made', () => {
    eachCut(OF_CREATE, async (cut, moment) => {
      const api = stage.api()
      const answer = await duringCut(stage, cut, moment, async () =>
        api.call('POST', '/v1/containers?run=true', { body: BODY }),
      )
      if (!wasAccepted(answer)) return
      const { uuid } = answer.body as ContainerBody
      await settled(uuid)
      await api.expect(204, 'DELETE', `/v1/containers/${uuid}?stop=true`)
      await gone(uuid)
    })
  })

  describe('while a container is deleted', () => {
    eachCut(OF_DELETE, async (cut, moment) => {
      const { image: _, image_driver: __, ...more } = BODY
      const { uuid } = await stage.running(more)
      const answer = await duringCut(stage, cut, moment, async () =>
        stage.api().call('DELETE', `/v1/containers/${uuid}?stop=true`),
      )
      assert.equal(answer.status, 204, answer.text)
      await gone(uuid)
    })
  })

  it('Keystone, before a token is looked at: the request is refused, and let in afterwards', async () => {
    const user = await CloudUser.login('demo')
    stage.region.front('keystone').away()
    const refused = await stage.api(user).call('GET', '/v1/containers')
    assert.equal(refused.status, 503, refused.text)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    stage.region.front('keystone').restore()
    await stage.api(user).expect(200, 'GET', '/v1/containers')
  })

  it('a volume that nobody has heard of being made is removed, when its request is surely over', async () => {
    const database = new DatabaseSync(join(stage.zund.stateDir, 'zund.sqlite'), { timeout: 5_000 })
    try {
      database.exec(`UPDATE advance SET created_at = created_at - ${60 * 60_000}`)
      await until(
        'the notes are gone',
        async () => database.prepare('SELECT 1 FROM advance').get() === undefined,
        PATIENCE_MS,
      )
    } finally {
      database.close()
    }
  })
})
