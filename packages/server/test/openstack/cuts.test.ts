/**
 * Each service of the cloud dies in the middle of each operation and comes back: what was accepted finishes, or ends in
 * Error with a reason; what was not is refused as a service that is away; and nothing is left in any of them.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, it } from 'node:test'
import { OBEDIENT, type Answer, type ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests } from './support/cloud-stage.ts'
import { CloudUser } from './support/cloud-user.ts'
import type { FrontName } from './support/region.ts'
import type { CutMoment } from './support/service-front.ts'

interface Cut {
  readonly service: FrontName
  /** `METHOD path`. */
  readonly request: RegExp
  readonly moments: readonly CutMoment[]
}

const BOTH = ['before', 'after'] as const

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

const OF_DELETE: readonly Cut[] = [
  { service: 'neutron', request: /^DELETE \/v2.0\/ports/, moments: BOTH },
  { service: 'cinder', request: /^DELETE .*\/attachments/, moments: BOTH },
  { service: 'cinder', request: /^DELETE .*\/volumes/, moments: BOTH },
  { service: 'placement', request: /^PUT \/allocations/, moments: BOTH },
]

/** Steps try again in growing distances. */
const PATIENCE_MS = 150_000

const BODY = {
  image: 'busybox',
  image_driver: 'glance',
  command: OBEDIENT,
  nets: [{ network: 'demo-net' }],
  mounts: [{ size: '1', destination: '/data' }],
}

cloudTests('a service of the cloud dies', (stage) => {
  afterEach(() => stage.region.restoreAll())

  /** It comes back when somebody has looked for it in vain, or was told that it is away. */
  async function duringCut(cut: Cut, moment: CutMoment, ask: () => Promise<Answer>): Promise<Answer> {
    const front = stage.region.front(cut.service)
    const died = front.cutAt(cut.request, moment)
    const missed = died.then(async () => front.missed())
    const answer = await ask()
    await died
    if (answer.status < 500) await missed
    front.restore()
    return answer
  }

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
    for (const cut of OF_CREATE) {
      for (const moment of cut.moments) {
        it(`${cut.service}, ${moment} ${cut.request.source}`, async () => {
          const api = stage.api()
          const answer = await duringCut(cut, moment, async () =>
            api.call('POST', '/v1/containers?run=true', { body: BODY }),
          )
          if (answer.status >= 400) {
            assert.equal(answer.status, 503, answer.text)
            return
          }
          const { uuid } = answer.body as ContainerBody
          await settled(uuid)
          await api.expect(204, 'DELETE', `/v1/containers/${uuid}?stop=true`)
          await gone(uuid)
        })
      }
    }
  })

  describe('while a container is deleted', () => {
    for (const cut of OF_DELETE) {
      for (const moment of cut.moments) {
        it(`${cut.service}, ${moment} ${cut.request.source}`, async () => {
          const { image: _, image_driver: __, ...more } = BODY
          const { uuid } = await stage.running(more)
          const answer = await duringCut(cut, moment, async () =>
            stage.api().call('DELETE', `/v1/containers/${uuid}?stop=true`),
          )
          assert.equal(answer.status, 204, answer.text)
          await gone(uuid)
        })
      }
    }
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
