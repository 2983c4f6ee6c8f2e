/** scheduler 8: when a host counts as up. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { serviceRoutes } from '../../src/edge/api/v1/services/routes.ts'
import { apiOn, appOptions, ask, LiveStore } from '../support/live-api.ts'

const live = new LiveStore()
const doorbell = new LocalDoorbell()
before(async () => {
  await live.host('a')
  await live.host('forced')
  await live.store.write((tx) => tx.hosts.setForcedDown('forced', true))
})
after(() => live.close())

test('a service is up as long as it was heard of within service_down_time, and not forced down', async (t) => {
  for (const [serviceDownTimeS, state] of [
    [180, 'up'],
    [-1, 'down'],
  ] as const) {
    const options = { ...appOptions, serviceDownTimeS }
    const app = apiOn(live, serviceRoutes({ store: live.store, policy: live.policy, doorbell, options }))
    t.after(() => app.close())
    const { services } = (await ask(app, 'GET /v1/services', { as: 'admin' })).body as {
      services: { host: string; state: string; report_count: number }[]
    }
    assert.deepEqual(
      services.map((service) => [service.host, service.state]),
      [
        ['a', state],
        ['forced', 'down'],
      ],
    )
  }
})

test('each heartbeat counts one report and sets when the service was last seen', async (t) => {
  const app = apiOn(live, serviceRoutes({ store: live.store, policy: live.policy, doorbell, options: appOptions }))
  t.after(() => app.close())
  const service = async () => {
    const { services } = (await ask(app, 'GET /v1/services', { as: 'admin' })).body as {
      services: { report_count: number; last_seen_up: string }[]
    }
    return services[0]
  }
  const first = await service()
  const host = await live.store.hosts.byName('a')
  await live.store.write((tx) => tx.hosts.heartbeat('a', host?.epoch ?? 0, { engineTrouble: null }))
  const second = await service()
  assert.equal(second?.report_count, (first?.report_count ?? 0) + 1)
  assert.ok((second?.last_seen_up ?? '') >= (first?.last_seen_up ?? 'none'))
})
