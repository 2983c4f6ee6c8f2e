/** packages/client against a whole service: every call that the contract has, and what is special about the client. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { apiEndpoints } from '@zund/contract/api/endpoints/index.ts'
import { SERVICE_DOCUMENTS } from '@zund/contract/api/endpoints/service.ts'
import { USUAL_OPTIONS } from '@zund/contract/api/limits.ts'
import {
  ApiError,
  applicationCredential,
  connect,
  ConnectionError,
  each,
  pages,
  passwordLogin,
  tokenLogin,
  waitFor,
  withToken,
  type Client,
} from '@zund/client'
import { documentedFetch } from '../support/conformance.ts'
import { HOST, SimMachine } from '../support/sim-machine.ts'

const PROJECTS = { alice: 'red', bob: 'blue', admin: 'ops' } as const

let machine: SimMachine
let alice: Client
let admin: Client
const called = new Set<string>()

before(async () => {
  machine = await SimMachine.start()
  machine.engine.images.publish('docker.io/library/busybox:1', { command: ['serve'] })
  alice = noted(await connect({ auth: login('alice'), fetch: documentedFetch }))
  admin = noted(await connect({ auth: login('admin'), fetch: documentedFetch }))
})
after(async () => {
  await machine.clear()
  await machine.stop()
})

function login(user: keyof typeof PROJECTS): ReturnType<typeof passwordLogin> {
  return passwordLogin({
    authUrl: `http://127.0.0.1:${machine.port}/identity`,
    username: user,
    password: `secret of ${user}`,
    project: PROJECTS[user],
  })
}

/** Remembers which methods were used. */
function noted(client: Client): Client {
  return new Proxy(client, {
    get: (target, name) => {
      called.add(String(name))
      return Reflect.get(target, name) as unknown
    },
  })
}

async function refused(call: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ApiError, String(error))
  return error
}

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('events, and how they go on behind a break', async () => {
  const stop = new AbortController()
  const events = alice.listenEvents(
    { query: { type: ['container.created', 'container.deleted'] } },
    { signal: stop.signal },
  )
  assert.equal((await events.next()).value?.type, 'ready')
  const { uuid } = await alice.createContainer({ body: { image: 'busybox' } })
  const { value: created } = await events.next()
  assert.ok(created?.type === 'container.created' && created.uuid === uuid)
  await machine.settled()
  // As a proxy that has had enough: the client finds out when it reads on.
  machine.app.server.closeAllConnections()
  await alice.deleteContainer({ ident: uuid })
  const { value: deleted } = await events.next()
  assert.ok(deleted?.type === 'container.deleted' && deleted.uuid === uuid)
  const reason = new Error('enough')
  const waiting = events.next()
  stop.abort(reason)
  await assert.rejects(waiting, reason)
  const all = await listed(alice.listenEvents({ query: { last_event_id: '0', timeout: 0 } }))
  assert.ok(all.some(({ id }) => id === deleted.id))
  const error = await refused(listed(alice.listenEvents({ query: { all_projects: true, timeout: 0 } })))
  assert.equal(error.status, 403)
})

test('waiting, for what is made only once however often it is asked for', async () => {
  const ask = { query: { run: true }, body: { image: 'busybox', command: ['serve'] } }
  const made = await Promise.all([1, 2].map(() => alice.createContainer(ask, { idempotencyKey: 'sdk-key' })))
  const [ident = ''] = made.map(({ uuid }) => uuid)
  assert.equal(made[1]?.uuid, ident)
  assert.equal((await waitFor(alice.showContainer, { ident, wait: ['Running'] }))?.status, 'Running')
  const given = AbortSignal.timeout(50)
  await assert.rejects(waitFor(alice.showContainer, { ident, wait: ['Paused'] }, { signal: given }), given.reason)
  await alice.deleteContainer({ ident, query: { stop: true } })
  assert.equal(await waitFor(alice.showContainer, { ident, wait: ['Deleted'] }), undefined)
  const { uuid: broken } = await alice.createContainer({
    ...ask,
    body: { image: 'busybox', command: ['no-such-program'] },
  })
  assert.equal((await waitFor(alice.showContainer, { ident: broken, wait: ['Running'] }))?.status, 'Error')
  await alice.deleteContainer({ ident: broken })
  await waitFor(alice.showContainer, { ident: broken, wait: ['Deleted'] })
  await assert.rejects(alice.deleteContainer({ ident: broken }, { idempotencyKey: 'k' }), TypeError)
})

test('the documents of the service', async () => {
  assert.equal(alice.version, '1.40')
  assert.equal((await alice.showVersions()).versions[0]?.max_version, '1.40')
  assert.equal((await alice.showV1()).id, 'v1')
  assert.deepEqual((await alice.checkHealth()).reasons, ['OK'])
  assert.equal((await alice.readOpenApi({ query: { version: '1.14' } })).openapi, '3.1.0')
})

test('a container, through all that can be done with it', async () => {
  const made = await alice.createContainer({
    query: { run: true },
    body: { image: 'busybox', name: 'sdk', command: ['serve'], memory: 64, interactive: true, labels: { tier: 'web' } },
  })
  assert.equal(made.status, 'Creating')
  const ident = made.uuid
  await machine.settled()
  const shown = await alice.showContainer({ ident: 'sdk' })
  assert.deepEqual([shown.uuid, shown.status, shown.labels], [ident, 'Running', { tier: 'web' }])
  const actions: readonly (readonly [call: () => Promise<unknown>, status: string])[] = [
    [() => alice.pauseContainer({ ident }), 'Paused'],
    [() => alice.unpauseContainer({ ident }), 'Running'],
    [() => alice.rebootContainer({ ident, query: { timeout: 1 } }), 'Running'],
    [() => alice.stopContainer({ ident, query: { timeout: 0 } }), 'Stopped'],
    [() => alice.startContainer({ ident }), 'Running'],
    [() => alice.killContainer({ ident, query: { signal: 'SIGKILL' } }), 'Stopped'],
    [() => alice.rebuildContainer({ ident }), 'Created'],
    [() => alice.startContainer({ ident }), 'Running'],
  ]
  for (const [call, status] of actions) {
    assert.equal(await call(), null)
    await machine.settled()
    await machine.agreed()
    assert.equal((await alice.showContainer({ ident })).status, status)
  }
  assert.equal((await alice.resizeContainer({ ident, body: { memory: 96 } })).uuid, ident)
  await machine.settled()
  assert.equal((await alice.showContainer({ ident })).memory, '96')
  assert.equal((await alice.updateContainer({ ident, body: { name: 'sdk-2' } })).name, 'sdk-2')
  const { containerActions } = await alice.listActions({ ident })
  assert.equal(containerActions.length, 9)
  const [newest] = containerActions
  assert.ok(newest !== undefined)
  assert.equal((await alice.showAction({ ident, request: newest.request_id })).events[0]?.result, 'Success')

  const networks = (await alice.listNetworks({ ident })).networks
  assert.equal(networks.length, 1)
  const network = networks[0]?.net_id ?? ''
  await alice.detachNetwork({ ident, query: { network } })
  await machine.settled()
  await alice.attachNetwork({ ident, query: { network } })
  await machine.settled()
  const snapshot = await alice.commitContainer({ ident, query: { repository: 'snap' } })
  await machine.settled()
  assert.match(snapshot.uuid, /^[0-9a-f-]{36}$/)
  assert.equal(await alice.deleteContainer({ ident, query: { stop: true } }), undefined)
  await machine.settled()
  assert.equal((await refused(alice.showContainer({ ident }))).status, 404)
  const past = await alice.showHistory({ uuid: ident })
  assert.equal(past.stops[0]?.reason, 'deleted')
  assert.deepEqual(
    (await alice.listHistory({ query: { name: 'sdk-2' } })).containers.map(({ uuid }) => uuid),
    [ident],
  )
})

test('looking into a live container', async () => {
  const { uuid: ident } = await alice.createContainer({
    query: { run: true },
    body: { image: 'busybox', command: ['sh', '-c', 'echo hello; serve'], memory: 64, interactive: true },
  })
  await machine.settled()
  assert.equal(await alice.readLogs({ ident, query: { tail: '1' } }), 'hello\n')
  assert.equal((await refused(alice.putLogs({ ident }))).status, 405)
  assert.ok((await alice.listProcesses({ ident })).Processes.length > 0)
  assert.equal(typeof (await alice.readStats({ ident }))['CPU %'], 'number')
  const done = await alice.execute({ ident, query: { command: ['echo', 'two words'] } })
  assert.deepEqual([done.output, done.exit_code], ['two words\n', 0])
  const { exec_id, proxy_url } = await alice.execute({ ident, query: { command: 'sh', run: false, interactive: true } })
  assert.match(proxy_url ?? '', /^ws:/)
  // Its terminal is not open.
  const size = { h: 24, w: 80 }
  assert.equal(
    (await refused(alice.resizeExecution({ ident, query: { exec_id: exec_id ?? '', ...size } }))).status,
    400,
  )
  assert.match(await alice.attach({ ident }), /^ws:.*token=/)
  assert.match(await alice.attach({ ident, query: { before_start: true } }), /^ws:.*before_start=true$/)
  assert.equal(await alice.resizeTerminal({ ident, query: size }), null)
  const archive = await alice.getArchive({ ident, query: { path: '/etc' } })
  assert.equal(await alice.putArchive({ ident, query: { path: '/tmp', data: archive.data } }), null)
  const { stat, tar } = await alice.downloadArchive({ ident, query: { path: '/etc' } })
  assert.equal(stat.name, 'etc')
  const held = Buffer.from(await new Response(tar).arrayBuffer())
  assert.deepEqual(held, Buffer.from(archive.data, 'base64'))
  async function* pieces(): AsyncGenerator<Buffer> {
    yield held.subarray(0, 100)
    yield held.subarray(100)
  }
  await alice.uploadArchive({ ident, query: { path: '/tmp' }, tar: pieces() })
  assert.equal((await refused(alice.uploadArchive({ ident, query: { path: '/none' }, tar: held }))).status, 400)
  const written: string[] = []
  const follow = async (): Promise<void> => {
    for await (const { stream, bytes } of alice.followLogs({ ident })) {
      written.push(`${stream}: ${Buffer.from(bytes).toString()}`)
      await alice.stopContainer({ ident, query: { timeout: 0 } })
    }
  }
  for await (const { CONTAINER } of alice.followStats({ ident })) {
    assert.equal(typeof CONTAINER, 'string')
    break
  }
  await follow()
  assert.deepEqual(written, ['stdout: hello\n'])
  assert.equal(
    (
      await refused(
        alice
          .followStats({ ident: 'nobody' })
          .next()
          .then(() => undefined),
      )
    ).status,
    404,
  )
  await alice.deleteContainer({ ident, query: { stop: true } })
  await machine.settled()
})

test('capsules, in both forms', async () => {
  const template = {
    kind: 'capsule',
    metadata: { name: 'pair' },
    spec: { containers: [{ image: 'busybox', command: ['serve'] }] },
  } as const
  const made = await alice.createCapsule({ body: { template } })
  await machine.settled()
  assert.equal((await alice.showCapsule({ ident: 'pair' })).status, 'Running')
  assert.equal((await alice.listCapsules()).capsules.length, 1)
  const older = await connect({ auth: login('alice'), version: '1.31' })
  assert.ok('meta_name' in (await older.showCapsule({ ident: made.uuid })))
  assert.equal(await alice.deleteCapsule({ ident: made.uuid }), undefined)
  await machine.settled()
})

test('what only older versions have', async () => {
  const older = noted(await connect({ auth: login('alice'), version: '1.13' }))
  const { uuid: ident } = await older.createContainer({ body: { image: 'busybox', command: 'serve', memory: 64 } })
  await machine.settled()
  assert.equal((await older.renameContainer({ ident, query: { name: 'older' } })).name, 'older')
  assert.equal((await refused(older.addSecurityGroup({ ident, query: { name: 'other' } }))).status, 400)
  assert.equal((await refused(older.removeSecurityGroup({ ident, query: { name: 'other' } }))).status, 400)
  assert.equal((await refused(alice.renameContainer({ ident, query: { name: 'newer' } }))).status, 406)
  await older.deleteContainer({ ident })
  await machine.settled()
})

test('quotas and registries', async () => {
  const project = machine.projectId('red')
  assert.equal((await alice.showQuota({ project })).containers, 40)
  assert.equal((await alice.showDefaultQuota({ project })).containers, 40)
  assert.equal((await admin.updateQuota({ project, body: { containers: 7 } })).containers, 7)
  assert.equal(await admin.deleteQuota({ project }), null)
  assert.equal((await admin.updateQuotaClass({ name: 'gold', body: { cpu: 3 } })).cpu, 3)
  assert.equal((await admin.showQuotaClass({ name: 'gold' })).cpu, 3)
  const { registry } = await alice.createRegistry({
    body: { registry: { domain: 'registry.test:5000', name: 'mine' } },
  })
  const ident = registry.uuid
  assert.equal((await alice.showRegistry({ ident: 'mine' })).registry.uuid, ident)
  assert.equal((await alice.updateRegistry({ ident, body: { registry: { name: 'ours' } } })).registry.name, 'ours')
  assert.equal((await alice.listRegistries()).registries.length, 1)
  assert.equal(await alice.deleteRegistry({ ident }), undefined)
})

test('what operators do', async () => {
  const service = { host: HOST, binary: 'zun-compute' }
  assert.equal((await admin.listServices()).services[0]?.host, HOST)
  assert.equal(
    (await admin.disableService({ query: { ...service, disabled_reason: 'rest' } })).service.disabled_reason,
    'rest',
  )
  assert.equal((await admin.enableService({ query: service })).service.disabled, false)
  assert.equal((await admin.forceDownService({ query: { ...service, forced_down: true } })).service.forced_down, true)
  await admin.forceDownService({ query: { ...service, forced_down: false } })
  assert.equal((await refused(admin.putService({ action: 'polish' }))).status, 404)
  assert.equal((await refused(admin.deleteService({ query: { host: 'nowhere', binary: 'zun-compute' } }))).status, 404)
  const { hosts } = await admin.listHosts()
  assert.equal((await admin.showHost({ ident: HOST })).uuid, hosts[0]?.uuid)
  assert.deepEqual((await alice.listZones()).availability_zones, [{ availability_zone: 'nova' }])

  const image = await admin.pullImage({ body: { repo: 'docker.io/library/busybox:1', host: HOST } })
  await machine.settled()
  assert.equal((await admin.showImage({ ident: image.uuid })).uuid, image.uuid)
  assert.ok((await admin.listImages()).images.some(({ uuid }) => uuid === image.uuid))
  assert.ok(Array.isArray(await alice.searchImages({ name: 'busybox' })))
  assert.equal(await admin.deleteImage({ ident: image.uuid }), null)

  const lan = await alice.createLocalNetwork({ body: { name: 'lan' } })
  const onHost = await admin.createHostNetwork({ body: { name: 'lan', neutron_net_id: lan.uuid } })
  assert.equal(onHost.neutron_net_id, lan.uuid)
  assert.equal(await admin.deleteHostNetwork({ uuid: lan.uuid }), undefined)
  assert.equal((await alice.showLocalNetwork({ ident: 'lan' })).uuid, lan.uuid)
  assert.ok((await alice.listLocalNetworks()).networks.some(({ uuid }) => uuid === lan.uuid))
  assert.equal(await alice.deleteLocalNetwork({ ident: lan.uuid }), undefined)
  const volume = await alice.createLocalVolume({ body: { name: 'data', size: 1 } })
  assert.equal((await alice.showLocalVolume({ ident: 'data' })).uuid, volume.uuid)
  assert.equal((await alice.listLocalVolumes()).volumes.length, 1)
  assert.equal(await alice.deleteLocalVolume({ ident: volume.uuid }), undefined)
  assert.ok((await alice.listExtensions()).extensions.length > 0)
  await machine.settled()
})

test('lists come in pages, and all that is in them one by one', async () => {
  for (const name of ['one', 'two', 'three']) {
    await alice.createContainer({ body: { image: 'busybox', name: `page-${name}`, memory: 64 } })
  }
  await machine.settled()
  const sizes: number[] = []
  for await (const page of pages(alice.listContainers, { query: { limit: 2, sort_key: 'name' } })) {
    sizes.push(page.containers.length)
  }
  assert.deepEqual(sizes, [2, 1])
  const names: (string | null)[] = []
  for await (const { name } of each(alice.listContainers, 'containers', { query: { limit: 1, sort_key: 'name' } })) {
    names.push(name)
  }
  assert.deepEqual(names, ['page-one', 'page-three', 'page-two'])
  await machine.clearContainers()
})

test('a refusal has status, code, sentence and request id, and an unreachable service is told apart', async () => {
  const missing = await refused(alice.showContainer({ ident: 'a/b?c#d é' }))
  assert.deepEqual([missing.status, missing.code, missing.call], [404, 'container-not-found', missing.call])
  assert.match(missing.title, /a\/b\?c#d é could not be found/)
  assert.match(missing.requestId ?? '', /^req-/)
  assert.match(missing.call, /^GET \/v1\/containers\/a%2Fb%3Fc%23d%20%C3%A9$/)
  const wrong = await refused(
    connect({
      auth: passwordLogin({
        authUrl: `${alice.endpoint}/identity/v3/`,
        username: 'alice',
        password: 'no',
        project: 'red',
      }),
    }),
  )
  assert.equal(wrong.status, 401)
  assert.notEqual(wrong.title, '')
  const nobody = withToken('x', 'http://127.0.0.1:9/v1')
  await assert.rejects(
    connect({ auth: nobody }),
    (error) => error instanceof ConnectionError && /127\.0\.0\.1:9/.test(error.message),
  )
  await assert.rejects(connect({ auth: login('alice'), version: '1.41' }), /1\.41 is not between 1\.1 and 1\.40/)
  await assert.rejects(connect({ auth: login('alice'), version: 'latest' }), ConnectionError)
})

test('a call can be given up', async () => {
  const over = new AbortController()
  over.abort(new Error('no longer wanted'))
  await assert.rejects(alice.listContainers({}, { signal: over.signal }), /no longer wanted/)
})

test('a token that is over is renewed once, and a foreign one is not', async () => {
  const auth = login('bob')
  const bob = await connect({ auth })
  const { token } = await auth.session({})
  await machine.identity.revoke(token)
  assert.deepEqual((await bob.listContainers()).containers, [])
  assert.notEqual((await auth.session({})).token, token)
  const stale = await connect({ auth: withToken(token, `${bob.endpoint}/v1/`) })
  assert.equal((await refused(stale.listContainers())).status, 401)
})

test('an application credential logs in, too', async () => {
  const { id: userId } = await machine.identity.ensureUser('alice', 'secret of alice')
  const { id, secret } = await machine.identity.createApplicationCredential('sdk', userId, machine.projectId('red'))
  const auth = applicationCredential({ authUrl: `${alice.endpoint}/identity/v3`, id, secret })
  const client = await connect({ auth })
  assert.deepEqual((await client.listContainers()).containers, [])
})

test('a token of one project gives one of another, and a token says which project it is for', async () => {
  const auth = login('bob')
  const { token, projectId } = await auth.session({})
  assert.equal(projectId, machine.projectId('blue'))
  const again = await connect({ auth: tokenLogin({ authUrl: `${alice.endpoint}/identity`, token, project: 'blue' }) })
  assert.deepEqual([again.projectId, (await again.listContainers()).containers], [projectId, []])
  const foreign = tokenLogin({ authUrl: `${alice.endpoint}/identity`, token, project: 'red' })
  assert.equal((await refused(connect({ auth: foreign }))).status, 401)
  assert.equal((await connect({ auth: withToken(token, alice.endpoint) })).projectId, null)
})

test('no call of the contract was left out', () => {
  const all = Object.keys({ ...SERVICE_DOCUMENTS, ...apiEndpoints(USUAL_OPTIONS) })
  assert.deepEqual(
    all.filter((id) => !called.has(id)),
    [],
  )
})
