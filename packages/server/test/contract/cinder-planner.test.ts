/** What a request asks of Cinder before it is accepted; the rest of it is tried against a real one (test/openstack). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { CinderPlanner } from '../../src/adapters/volume/cinder/cinder-planner.ts'
import type { OpenStackAnswer, OpenStackCall } from '../../src/adapters/openstack/call.ts'
import { Cinder } from '../../src/adapters/openstack/cinder.ts'
import { OpenStackError } from '../../src/adapters/openstack/errors.ts'
import { ApiError } from '../../src/domain/errors.ts'
import { aBinding, aMount } from '../support/builders.ts'
import { LiveStore } from '../support/live-api.ts'
import { quietLog } from '../support/quiet-log.ts'
import { addContainer } from '../support/store-harness.ts'

const ASKER = { token: 'theirs', caller: { projectId: 'p' }, requestId: 'req-1', signal: AbortSignal.timeout(60_000) }

describe('volumes that may be attached several times', () => {
  const live = new LiveStore()
  after(async () => live.close())
  const [shared, other, single] = [randomUUID(), randomUUID(), randomUUID()]
  const planner = new CinderPlanner({
    cinder: new Cinder({
      json: async <T>({ path }: OpenStackCall): Promise<OpenStackAnswer<T>> => {
        const id = path.split('/').at(-1)
        if (![shared, other, single].some((known) => known === id)) {
          const answer = { service: 'volumev3' as const, status: 404, type: '', reason: 'none', asked: path }
          throw new OpenStackError({ ...answer, asCaller: true })
        }
        const volume = { id, name: '', status: 'available', size: 1, multiattach: id !== single, attachments: [] }
        return { status: 200, headers: {}, body: { volume } as T }
      },
      stream: async () => {
        throw new Error('nothing of Cinder is a stream')
      },
    }),
    store: live.store,
    newUuid: randomUUID,
    log: quietLog,
  })

  const usedOn = async (volumeUuid: string, host: string): Promise<void> => {
    const { uuid } = await addContainer(live.store, { host, name: `on-${host}` })
    const data = aMount({ provider: 'block-storage', volumeUuid, attachment: { holder: uuid, id: null } })
    await live.store.write((tx) => tx.bindings.insert(uuid, aBinding(data)))
  }
  const tiedTo = async (...ids: readonly string[]): Promise<string | null> => {
    const requests = ids.map((source) => ({ kind: 'existing' as const, source, onlyById: true }))
    const plan = await planner.plan(ASKER, requests)
    return await live.store.write(async (tx) => await plan.host(tx))
  }

  before(async () => {
    await usedOn(shared, 'host1')
    await usedOn(other, 'host2')
  })

  it('are mounted by one host: who wants one goes where it is', async () => {
    assert.equal(await tiedTo(shared), 'host1')
    assert.equal(await tiedTo(single, other), 'host2')
    assert.equal(await tiedTo(single), null)
  })

  it('that are on different hosts are not for one container', async () => {
    await assert.rejects(tiedTo(shared, other), (error) => error instanceof ApiError && error.status === 409)
  })
})
