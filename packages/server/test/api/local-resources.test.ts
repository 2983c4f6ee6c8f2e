import { Places } from '../../src/app/events/places.ts'
import { LocalNetworkPlanner } from '../../src/app/networks/local-planner.ts'
import { LocalVolumePlanner } from '../../src/app/volumes/local-planner.ts'
import { eventFeed } from '../../src/compose/api.ts'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { localLink } from '../../src/adapters/link/local.ts'
import { EngineUnavailable } from '../../src/domain/errors.ts'
import { containerRoutes } from '../../src/edge/api/v1/containers/routes.ts'
import { ContainerViews } from '../../src/edge/api/v1/containers/view.ts'
import { extensionRoutes, LOCAL_EXTENSIONS } from '../../src/edge/api/v1/extensions/routes.ts'
import { historyRoutes } from '../../src/edge/api/v1/history/routes.ts'
import { localNetworkRoutes } from '../../src/edge/api/v1/local-networks/routes.ts'
import { localVolumeRoutes } from '../../src/edge/api/v1/local-volumes/routes.ts'
import { noCheckpoints } from '../../src/lib/checkpoints.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { ControlPlaneService } from '../../src/orchestration/control-plane/service.ts'
import { Disposer } from '../../src/orchestration/disposer.ts'
import type { Container } from '../../src/domain/container/types.ts'
import { someSecrets } from '../support/builders.ts'
import { until } from '../support/host-fixture.ts'
import { apiOn, appOptions, ask, LiveStore } from '../support/live-api.ts'
import { quietLog } from '../support/quiet-log.ts'

const live = new LiveStore()
const doorbell = new LocalDoorbell()
const common = { store: live.store, doorbell, policy: live.policy, options: appOptions, newUuid: randomUUID }
const controlPlane = new ControlPlaneService({
  moving: appOptions,
  store: live.store,
  doorbell,
  clock: systemClock,
  log: quietLog,
  leaseTtlMs: 60_000,
  deployment: 'test',
  newUuid: randomUUID,
  registryFor: async () => ({ domain: null, auth: null }),
})
let app: FastifyInstance

before(async () => {
  const containers = {
    ...common,
    images: { check: async () => 'exists' as const },
    imageService: undefined,
    volumes: new LocalVolumePlanner({ quota: appOptions.localQuota, newUuid: randomUUID }),
    networks: new LocalNetworkPlanner({ store: live.store, pools: appOptions.localNetwork, newUuid: randomUUID }),
    secrets: someSecrets(),
    clock: systemClock,
    log: quietLog,
    feed: eventFeed({ ...common, log: quietLog }),
    waiting: new Places(4, 'requests that wait'),
  }
  app = apiOn(live, [
    ...containerRoutes(containers, new ContainerViews(live.policy)),
    ...historyRoutes(common),
    ...localNetworkRoutes(common),
    ...localVolumeRoutes(common),
    ...extensionRoutes(LOCAL_EXTENSIONS),
  ])
  await live.host('h1')
})
after(async () => {
  await app.close()
  await live.close()
})

interface Body {
  readonly uuid: string
  readonly name: string
  readonly status: string
  readonly [field: string]: unknown
}

async function made(line: string, body: object, as = 'alice'): Promise<Body> {
  const answer = await ask(app, `POST ${line}`, { as, body })
  assert.ok([201, 202].includes(answer.status), `${line}: ${answer.status} ${answer.title}`)
  return answer.body as Body
}

async function makeContainer(body: object, as = 'alice') {
  return await ask(app, 'POST /v1/containers', { as, body: { image: 'busybox', ...body } })
}

/** What its agent does at the end of a delete. */
async function removeContainer(uuid: string): Promise<void> {
  await live.store.write((tx) => tx.containers.remove(uuid))
}

/** A host that removes what it is told to, or does not. */
function disposer(options: { failing?: boolean } = {}) {
  const removed: string[] = []
  const remove = async (what: string): Promise<void> => {
    if (options.failing === true) throw new EngineUnavailable('no answer')
    removed.push(what)
  }
  const link = localLink(controlPlane)
  const service = new Disposer({
    controlPlane: link,
    doorbell,
    volumes: { detach: (mount, destroy) => remove(`volume ${mount.volumeUuid} ${destroy}`) },
    networks: { remove: (uuid) => remove(`network ${uuid}`) },
    host: 'h1',
    session: () => ({ host: 'h1', epoch: 1 }),
    clock: systemClock,
    log: quietLog,
    checkpoint: noCheckpoints,
    pollMs: 60_000,
  })
  return { service, removed }
}

test('a project makes networks that overlap nobody, and puts containers on them by name or id', async () => {
  const { status, body } = await ask(app, 'POST /v1/local/networks', { body: { name: 'back' } })
  assert.equal(status, 201)
  const { uuid, created_at, subnets, ...rest } = body as Body & { subnets: { cidr: string; version: number }[] }
  assert.match(String(created_at), /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual(rest, {
    name: 'back',
    project_id: 'red',
    is_default: false,
    status: 'active',
    addresses_in_use: 0,
    links: [{ href: `http://localhost:80/v1/local/networks/${uuid}`, rel: 'self' }],
  })
  assert.deepEqual(
    subnets.map((subnet) => subnet.version),
    [4, 6],
  )
  const other = (await made('/v1/local/networks', { name: 'front' })) as unknown as { subnets: { cidr: string }[] }
  assert.notEqual(subnets[0]?.cidr, other.subnets[0]?.cidr)

  const container = await makeContainer({ nets: [{ network: 'back' }, { network: 'front' }] })
  assert.equal(container.status, 202, container.title)
  assert.ok(uuid in (container.body as { addresses: object }).addresses)
  const shown = await ask(app, 'GET /v1/local/networks/back')
  assert.equal((shown.body as Body)['addresses_in_use'], 2)
  const busy = await ask(app, 'DELETE /v1/local/networks/back')
  assert.equal(busy.status, 409)
  assert.match(busy.title, /2 of its addresses/)
  await removeContainer((container.body as Container).uuid)
})

test('the network named default is the one that containers join by themselves', async () => {
  const network = await made('/v1/local/networks', { name: 'default' }, 'bob')
  assert.equal(network['is_default'], true)
  const container = await makeContainer({}, 'bob')
  assert.deepEqual(Object.keys((container.body as { addresses: object }).addresses), [network.uuid])
  await removeContainer((container.body as Container).uuid)
})

test('a project makes volumes, and one container at a time has one', async () => {
  const { status, body } = await ask(app, 'POST /v1/local/volumes', { body: { name: 'data', size: '2' } })
  assert.equal(status, 201)
  const { uuid, created_at, ...rest } = body as Body
  assert.match(String(created_at), /T/)
  const links = [{ href: `http://localhost:80/v1/local/volumes/${uuid}`, rel: 'self' }]
  const shape = { name: 'data', project_id: 'red', user_id: 'alice', size: 2, auto_remove: false, links }
  assert.deepEqual(rest, { ...shape, status: 'available', container_uuid: null })

  const mounts = [{ source: 'data', destination: '/data' }]
  const first = (await makeContainer({ mounts })).body as Container
  const inUse = (await ask(app, `GET /v1/local/volumes/${uuid}`)).body as Body
  assert.deepEqual([inUse.status, inUse['container_uuid']], ['in-use', first.uuid])
  const second = await makeContainer({ mounts })
  assert.deepEqual([second.status, second.code], [400, 'volume-in-use'])
  const busy = await ask(app, 'DELETE /v1/local/volumes/data')
  assert.equal(busy.status, 409)
  assert.match(busy.title, new RegExp(first.uuid))
  await removeContainer(first.uuid)
  assert.equal(((await ask(app, 'GET /v1/local/volumes/data')).body as Body).status, 'available')
})

test('a volume that has data ties its containers to the host where it is', async () => {
  await live.host('h2')
  await live.store.write(async (tx) => {
    const [data] = await tx.volumes.byName('data', { kind: 'all' })
    await tx.volumes.setHost(data?.uuid ?? '', 'h2')
  })
  const mounts = [{ source: 'data', destination: '/data' }]
  const tied = await ask(app, 'POST /v1/containers', { as: 'alice', body: { image: 'busybox', mounts } })
  const row = await live.store.containers.byUuid((tied.body as Container).uuid, { kind: 'all' })
  assert.equal(row?.host, 'h2')
  await removeContainer(row?.uuid ?? '')
  await made('/v1/local/volumes', { name: 'elsewhere', size: 1 })
  await live.store.write(async (tx) => {
    const [volume] = await tx.volumes.byName('elsewhere', { kind: 'all' })
    await tx.volumes.setHost(volume?.uuid ?? '', 'h1')
  })
  const both = [...mounts, { source: 'elsewhere', destination: '/other' }]
  assert.equal((await makeContainer({ mounts: both })).status, 409)
})

test('an unused network is taken down by its hosts; meanwhile nothing can use it and its subnets stay taken', async () => {
  const network = await made('/v1/local/networks', { name: 'old' })
  const cidrs = await live.store.networks.usedCidrs()
  assert.equal((await ask(app, 'DELETE /v1/local/networks/old')).status, 204)
  const going = await ask(app, `GET /v1/local/networks/${network.uuid}`)
  assert.equal((going.body as Body).status, 'deleting')
  assert.equal((await ask(app, 'GET /v1/local/networks/old')).status, 404)
  assert.equal((await ask(app, `DELETE /v1/local/networks/${network.uuid}`)).status, 409)
  assert.equal((await makeContainer({ nets: [{ network: 'old' }] })).status, 404)
  assert.equal((await makeContainer({ nets: [{ network: network.uuid }] })).status, 409)
  assert.deepEqual(await live.store.networks.usedCidrs(), cidrs)

  const { service, removed } = disposer()
  await service.start()
  await until('h1 has taken it down', async () => removed.includes(`network ${network.uuid}`))
  await service.stop()
  // The other host has not come round to it.
  assert.equal((await ask(app, `GET /v1/local/networks/${network.uuid}`)).status, 200)
  await controlPlane.disposed(
    { session: { host: 'h2', epoch: 1 }, uuid: network.uuid },
    { signal: AbortSignal.timeout(1_000) },
  )
  assert.equal((await ask(app, `GET /v1/local/networks/${network.uuid}`)).status, 404)
  assert.ok((await live.store.networks.usedCidrs()).length < cidrs.length)
})

test('a volume goes with its data, even if its host fails and restarts meanwhile', async () => {
  await made('/v1/local/volumes', { name: 'scratch', size: 1 })
  const container = (await makeContainer({ mounts: [{ source: 'scratch', destination: '/s' }], host: undefined }))
    .body as Container
  await live.store.write(async (tx) => {
    await tx.containers.remove(container.uuid)
    const [scratch] = await tx.volumes.byName('scratch', { kind: 'all' })
    await tx.volumes.setHost(scratch?.uuid ?? '', 'h1')
  })
  const { uuid } = (await ask(app, 'GET /v1/local/volumes/scratch')).body as Body
  const broken = disposer({ failing: true })
  await broken.service.start()
  assert.equal((await ask(app, 'DELETE /v1/local/volumes/scratch')).status, 204)
  assert.equal(((await ask(app, `GET /v1/local/volumes/${uuid}`)).body as Body).status, 'deleting')
  const refused = await makeContainer({ mounts: [{ source: uuid, destination: '/s' }] })
  assert.deepEqual([refused.status, refused.code], [400, 'volume-not-usable'])
  // Its name is free again.
  await made('/v1/local/volumes', { name: 'scratch', size: 1 })
  await broken.service.stop()
  assert.deepEqual(broken.removed, [])

  const next = disposer()
  await next.service.start()
  await until('the record is gone', async () => (await ask(app, `GET /v1/local/volumes/${uuid}`)).status === 404)
  await next.service.stop()
  assert.deepEqual(next.removed, [`volume ${uuid} true`])
})

test('a volume that was never attached is gone at once', async () => {
  const { uuid } = (await ask(app, 'GET /v1/local/volumes/scratch')).body as Body
  assert.equal((await ask(app, 'DELETE /v1/local/volumes/scratch')).status, 204)
  assert.equal((await ask(app, `GET /v1/local/volumes/${uuid}`)).status, 404)
})

test('a deletion is begun as soon as it is asked for', async () => {
  const { service, removed } = disposer()
  await service.start()
  const network = await made('/v1/local/networks', { name: 'short' })
  assert.equal((await ask(app, 'DELETE /v1/local/networks/short')).status, 204)
  await until('h1 has taken it down', async () => removed.includes(`network ${network.uuid}`))
  await service.stop()
})

test('projects do not see each other; an admin finds all by uuid or name', async () => {
  for (const resource of ['networks', 'volumes']) {
    const body = resource === 'volumes' ? { name: 'private', size: 1 } : { name: 'private' }
    const mine = await made(`/v1/local/${resource}`, body)
    for (const ident of ['private', mine.uuid]) {
      for (const method of ['GET', 'DELETE']) {
        const answer = await ask(app, `${method} /v1/local/${resource}/${ident}`, { as: 'bob' })
        assert.deepEqual([answer.status, answer.code], [404, `${resource.slice(0, -1)}-not-found`])
      }
      assert.equal((await ask(app, `GET /v1/local/${resource}/${ident}`, { as: 'admin' })).status, 200)
    }
    const list = await ask(app, `GET /v1/local/${resource}`, { as: 'bob' })
    const names = (list.body as Record<string, Body[]>)[resource]?.map((row) => row.name)
    assert.equal(names?.includes('private'), false)
    assert.equal((await ask(app, `DELETE /v1/local/${resource}/private`)).status, 204)
  }
})

test('lists come in pages, in the order of their making', async () => {
  await made('/v1/local/volumes', { name: 'zeta', size: 3 }, 'bob')
  await made('/v1/local/volumes', { name: 'beta', size: 1 }, 'bob')
  const first = (await ask(app, 'GET /v1/local/volumes?limit=1', { as: 'bob' })).body as {
    volumes: Body[]
    next: string
  }
  assert.deepEqual(
    first.volumes.map((volume) => volume.name),
    ['zeta'],
  )
  assert.match(first.next, /^http:\/\/localhost:80\/v1\/local\/volumes\?/)
  const second = await ask(app, `GET ${first.next.replace('http://localhost:80', '')}`, { as: 'bob' })
  assert.deepEqual(
    (second.body as { volumes: Body[] }).volumes.map((volume) => volume.name),
    ['beta'],
  )
  const bySize = (await ask(app, 'GET /v1/local/volumes?sort_key=size', { as: 'bob' })).body as { volumes: Body[] }
  assert.equal(bySize.volumes[0]?.name, 'beta')
  assert.equal((await ask(app, 'GET /v1/local/volumes?marker=x', { as: 'bob' })).status, 404)
  assert.equal((await ask(app, 'GET /v1/local/networks?sort_key=cidr', { as: 'bob' })).status, 400)
})

test('bad input is a 400 that names the field and its limit', async () => {
  const rows: readonly [string, unknown, RegExp][] = [
    ['networks', {}, /'name'/],
    ['networks', { name: '' }, /'name'.*between 1 and 255/],
    ['networks', { name: 'x'.repeat(256) }, /'name'.*between 1 and 255/],
    ['networks', { name: 5 }, /'name'/],
    ['networks', { name: 'a\nb' }, /'name'/],
    ['networks', { name: 'c56a4180-65aa-42ec-a945-5fd21dec0538' }, /'name'.*id/],
    ['networks', { name: 'n', cidr: '10.0.0.0/8' }, /'cidr'/],
    ['networks', [], /object/],
    ['volumes', { name: 'v' }, /'size'/],
    ['volumes', { size: 1 }, /'name'/],
    ['volumes', { name: 'v', size: 0 }, /'size'.*minimum of 1/],
    ['volumes', { name: 'v', size: 16_385 }, /'size'.*maximum of 16384/],
    ['volumes', { name: 'v', size: 1.5 }, /'size'/],
    ['volumes', { name: 'v', size: 'big' }, /'size'/],
    ['volumes', { name: 'v', size: 1, type: 'ssd' }, /'type'/],
  ]
  for (const [resource, body, text] of rows) {
    const answer = await ask(app, `POST /v1/local/${resource}`, { body })
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.match(answer.title, text)
  }
  assert.equal((await ask(app, 'POST /v1/local/networks?x=1', { body: { name: 'n' } })).status, 400)
  assert.equal((await ask(app, 'POST /v1/local/networks')).status, 415)
  assert.equal((await ask(app, 'PUT /v1/local/networks')).status, 405)
})

test('names are unique in a project, quotas bind it, and a token without a project makes nothing', async () => {
  const taken = await ask(app, 'POST /v1/local/volumes', { as: 'bob', body: { name: 'zeta', size: 1 } })
  assert.equal(taken.status, 409)
  const twin = await ask(app, 'POST /v1/local/networks', { as: 'bob', body: { name: 'default' } })
  assert.equal(twin.status, 409)
  await made('/v1/local/volumes', { name: 'zeta', size: 1 }, 'admin')
  const forbidden = await ask(app, 'POST /v1/local/networks', { as: 'unscoped', body: { name: 'n' } })
  assert.equal(forbidden.status, 403)
  const large = { name: 'large', size: 20 }
  await made('/v1/local/volumes', large, 'bob')
  await made('/v1/local/volumes', { ...large, name: 'large2' }, 'bob')
  const tooMuch = await ask(app, 'POST /v1/local/volumes', { as: 'bob', body: { ...large, name: 'large3' } })
  assert.deepEqual([tooMuch.status, tooMuch.code], [403, 'over-quota'])
  assert.match(tooMuch.title, /64 GiB in volumes of at most 50/)
  // Those that come and go with a container count like the others, and one that is too much leaves nothing behind.
  const mounts = [
    { type: 'volume', size: 2, destination: '/a' },
    { type: 'volume', size: 9, destination: '/b' },
  ]
  const create = await ask(app, 'POST /v1/containers', { as: 'bob', body: { image: 'busybox', mounts } })
  assert.deepEqual([create.status, create.code], [403, 'over-quota'])
  assert.match(create.title, /55 GiB in volumes of at most 50/, create.title)
  const { volumes } = (await ask(app, 'GET /v1/local/volumes', { as: 'bob' })).body as { volumes: { size: number }[] }
  assert.equal(
    volumes.reduce((sum, volume) => sum + volume.size, 0),
    44,
  )
  for (let n = 0; n < 4; n += 1) await made('/v1/local/networks', { name: `n${n}` }, 'bob')
  const tooMany = await ask(app, 'POST /v1/local/networks', { as: 'bob', body: { name: 'n5' } })
  assert.deepEqual([tooMany.status, tooMany.code], [403, 'over-quota'])
  assert.match(tooMany.title, /6 networks of at most 5/)
})

test('the list of extensions names what is there', async () => {
  const { body } = await ask(app, 'GET /v1/extensions')
  const { extensions } = body as { extensions: { name: string; path: string; since: string; description: string }[] }
  assert.deepEqual(
    extensions.map((extension) => extension.name),
    [
      'extensions',
      'openapi',
      'container-history',
      'events',
      'wait',
      'idempotency-key',
      'streams',
      'console',
      'local-identity',
      'local-networks',
      'local-volumes',
    ],
  )
  for (const { path, since, description } of extensions) {
    // A terminal is no page, a stream has no end, and the identity service is mounted elsewhere.
    if (!['/console', '/v1/events', '/identity/v3'].includes(path))
      assert.equal((await ask(app, `GET ${path}`)).status, 200)
    assert.match(since, /^\d+\.\d+\.\d+$/)
    assert.ok(description.length > 20)
  }
})

test('a container of a host that was removed for good goes at once when it is deleted', async () => {
  await live.host('gone')
  const [early, late] = [await live.container({ host: 'gone' }), await live.container({ host: 'gone' })]
  const remove = async ({ uuid }: Container): Promise<number> =>
    (await ask(app, `DELETE /v1/containers/${uuid}?stop=true`, { as: 'alice' })).status
  const shown = async ({ uuid }: Container): Promise<number> =>
    (await ask(app, `GET /v1/containers/${uuid}`, { as: 'alice' })).status
  assert.equal(await remove(early), 204)
  assert.equal(await shown(early), 200, 'its host may come back')
  await live.store.write(async (tx) => tx.hosts.remove('gone'))
  assert.equal(await remove(late), 204)
  assert.equal(await shown(late), 404)
  const again = await ask(app, `DELETE /v1/containers/${early.uuid}?force=true`, { as: 'admin' })
  assert.equal(again.status, 204)
  assert.equal(await shown(early), 404)
})
