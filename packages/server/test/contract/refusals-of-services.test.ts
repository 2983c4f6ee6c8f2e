/** What a caller hears of it when another service does not do what the request asks of it. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { GlanceService } from '../../src/adapters/image/glance/glance-service.ts'
import { NeutronClient } from '../../src/adapters/network/neutron/neutron-client.ts'
import { NeutronPlanner } from '../../src/adapters/network/neutron/neutron-planner.ts'
import type { OpenStack, OpenStackAnswer, ServiceType } from '../../src/adapters/openstack/call.ts'
import { Cinder } from '../../src/adapters/openstack/cinder.ts'
import { OpenStackError, OpenStackUnreachable } from '../../src/adapters/openstack/errors.ts'
import { Glance } from '../../src/adapters/openstack/glance.ts'
import { CinderPlanner } from '../../src/adapters/volume/cinder/cinder-planner.ts'
import { ApiError } from '../../src/domain/errors.ts'
import { LiveStore } from '../support/live-api.ts'
import { quietLog } from '../support/quiet-log.ts'

const o = { signal: AbortSignal.timeout(60_000), requestId: 'req-1', token: 'theirs' }
const ASKER = { ...o, caller: { projectId: 'p' } }
const ID = randomUUID()

/** A cloud in which every call ends like this. */
function cloud(end: () => unknown): OpenStack {
  return {
    // Whoever asks has to look at it.
    json: async <T>(): Promise<OpenStackAnswer<T>> => ({ status: 200, headers: {}, body: end() as T }),
    stream: async () => assert.fail('nothing here is a stream'),
  }
}

describe('a request that another service does not serve', () => {
  const live = new LiveStore()
  after(async () => live.close())

  const volumes = (end: () => unknown) =>
    new CinderPlanner({ cinder: new Cinder(cloud(end)), store: live.store, newUuid: randomUUID, log: quietLog })
  const networks = (end: () => unknown) =>
    new NeutronPlanner({ neutron: new NeutronClient(cloud(end)), newUuid: randomUUID })
  const images = (end: () => unknown) => new GlanceService(new Glance(cloud(end)))
  const volume = (source: string) => [{ kind: 'existing' as const, source, onlyById: false }]
  const network = { network: ID, port: null, ipv4: null, ipv6: null }

  const asks: readonly (readonly [ServiceType, string, (end: () => unknown) => Promise<unknown>])[] = [
    ['volumev3', 'a volume by its id', async (end) => await volumes(end).plan(ASKER, volume(ID))],
    ['volumev3', 'a volume by its name', async (end) => await volumes(end).plan(ASKER, volume('name'))],
    [
      'network',
      'a network',
      async (end) =>
        await networks(end).plan({ ...o, projectId: 'p' }, { nets: [network], securityGroups: [], openPorts: [] }),
    ],
    ['network', 'a group', async (end) => await networks(end).groupToChange({ ...o, projectId: 'p' }, 'web')],
    ['image', 'an image by its id', async (end) => await images(end).resolve(ID, ASKER)],
    ['image', 'images by a name', async (end) => await images(end).search('name', true, ASKER)],
    ['image', 'a new image', async (end) => await images(end).begin({ id: ID, name: 'a', tag: 'b' }, ASKER)],
  ]

  async function heard(work: Promise<unknown>): Promise<ApiError> {
    const error: unknown = await work.then(
      () => 'nothing was refused',
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof ApiError, String(error))
    return error
  }

  const rows: readonly (readonly [status: number, answer: string])[] = [
    [400, '400 invalid-value'],
    [401, '401 '],
    [403, '403 not-authorized'],
    [404, '404 resource-not-found'],
    [409, '409 conflict'],
    [413, '403 not-authorized'],
    [422, '400 invalid-value'],
    [429, '503 service-unavailable'],
    [500, '503 service-unavailable'],
  ]
  for (const [service, what, ask] of asks) {
    it(`is told why ${what} cannot be had`, async () => {
      // One that is asked for by its id and is not there is then looked for by its name.
      for (const [status, answer] of what.endsWith('its id') ? rows.filter(([one]) => one !== 404) : rows) {
        const told = await heard(
          ask(() => {
            throw new OpenStackError({ service, status, type: null, reason: 'so it is', asked: 'it', asCaller: true })
          }),
        )
        assert.equal(`${told.status} ${told.code}`, answer, `${status}`)
        if (status !== 401 && told.status < 500) assert.match(told.message, /^The \w+ service refuses it: so it is$/)
      }
    })

    it(`is a 503 when no sense can be made of the answer about ${what}, or when our own login is refused`, async () => {
      if (what.endsWith('its id')) assert.equal((await heard(ask(() => ({ volume: 'of sound' })))).status, 503)
      const away = await heard(
        ask(() => {
          throw new OpenStackUnreachable(service, 'gave an answer that is not JSON')
        }),
      )
      assert.equal(away.status, 503)
      const ours = await heard(
        ask(() => {
          throw new OpenStackError({ service, status: 401, type: null, reason: '', asked: 'it', asCaller: false })
        }),
      )
      assert.equal(ours.status, 503)
    })
  }

  it('keeps the code of a volume that could not be made', async () => {
    for (const [status, answer] of [
      [400, '400 volume-create-failed'],
      [403, '400 volume-create-failed'],
      [413, '400 volume-create-failed'],
      [401, '401 '],
      [500, '503 service-unavailable'],
    ] as const) {
      const planner = volumes(() => {
        throw new OpenStackError({ service: 'volumev3', status, type: null, reason: '', asked: 'it', asCaller: true })
      })
      const { status: told, code } = await heard(planner.plan(ASKER, [{ kind: 'new', sizeGiB: 1, autoRemove: true }]))
      assert.equal(`${told} ${code}`, answer)
    }
  })
})
