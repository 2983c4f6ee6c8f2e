/** Two projects on one machine: neither can tell what the other has from what nobody has. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it, test } from 'node:test'
import type { Route } from '../../src/edge/api/route.ts'
import { OBEDIENT, type ApiClient, type ContainerBody } from '../support/api-client.ts'
import { SimMachine } from '../support/sim-machine.ts'
import { memberOf } from '../support/tenants.ts'
import { refusedWith, Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

/** What an action needs so that it is not refused for another reason; for those that need anything. */
interface Sent {
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

const ARGUMENTS: Readonly<Record<string, Sent & { readonly query?: string }>> = {
  'PATCH /v1/containers/:ident': { body: { name: 'stolen' } },
  'PATCH /v1/registries/:ident': { body: { registry: { domain: 'stolen.example' } } },
  'POST /v1/containers/:ident/rename': { query: 'name=stolen' },
  'POST /v1/containers/:ident/resize_container': { body: { memory: 64 } },
  'POST /v1/containers/:ident/commit': { query: 'repository=stolen' },
  'POST /v1/containers/:ident/network_attach': { query: 'network=default' },
  'POST /v1/containers/:ident/network_detach': { query: 'network=default' },
  'POST /v1/containers/:ident/add_security_group': { query: 'name=default' },
  'POST /v1/containers/:ident/remove_security_group': { query: 'name=default' },
  'POST /v1/containers/:ident/execute': { query: 'command=id' },
  'POST /v1/containers/:ident/execute_resize': { query: `exec_id=${'a'.repeat(64)}&h=20&w=80` },
  'POST /v1/containers/:ident/resize': { query: 'h=20&w=80' },
  'GET /v1/containers/:ident/get_archive': { query: 'path=/etc' },
  'POST /v1/containers/:ident/put_archive': { query: 'path=/etc', body: { data: '' } },
  'PUT /v1/containers/:ident/put_archive': { query: 'path=/etc', headers: { 'content-type': 'application/x-tar' } },
}

/** Routes whose answer to what is not there is another one than 404. */
const ANSWERS: Readonly<Record<string, readonly number[]>> = {
  'PUT /v1/containers/:ident/logs': [405],
  'GET /v1/hosts/:ident': [403],
  // As upstream has it: a uuid that no image has is a bad request.
  'GET /v1/images/:ident': [400, 404],
  'DELETE /v1/images/:ident': [400, 404],
}

interface Named {
  readonly uuid: string
  readonly name: string
}

let zund: ZundProcess
let alice: ApiClient
let bob: ApiClient
let admin: ApiClient
/** Alice's. */
let box: ContainerBody
let network: Named
let volume: Named
let registry: Named
let pod: Named
let image: string
const sim = await SimMachine.start()
const routes: readonly Route[] = sim.routes.filter((route) => route.path.includes('/:ident'))
await sim.stop()

before(async () => {
  zund = await ZundProcess.start()
  alice = await zund.client()
  bob = await memberOf(zund, 'neighbours')
  admin = await zund.client('zund-admin')
  const make = await alice.sdk()
  network = await make.createLocalNetwork({ body: { name: 'secret-lan' } })
  volume = named(await make.createLocalVolume({ body: { name: 'secret-data', size: 1 } }))
  const store = { name: 'secret-store', domain: 'secret.example', username: 'secret', password: 'secret' }
  registry = named((await make.createRegistry({ body: { registry: store } })).registry)
  const member = { image: 'busybox', imagePullPolicy: 'Never', command: OBEDIENT }
  const template = { kind: 'capsule', metadata: { name: 'secret-pod' }, spec: { containers: [member] } }
  pod = named(await make.createCapsule({ body: { template } }))
  await until('the capsule runs', async () => (await make.showCapsule({ ident: pod.uuid })).status === 'Running')
  box = await alice.run({
    name: 'secret-box',
    interactive: true,
    tty: true,
    nets: [{ network: network.uuid }],
    mounts: [{ source: volume.uuid, destination: '/data' }],
  })
  image = (await make.commitContainer({ ident: box.uuid, query: { repository: 'secret', tag: 'one' } })).uuid
  const see = await admin.sdk()
  await until('the commit is over', async () => {
    const { image_id: id } = await see.showImage({ ident: image })
    box = await alice.show(box.uuid)
    return id !== null && box.task_state === null
  })
})
after(() => zund.destroy())

function named({ uuid, name }: { readonly uuid: string; readonly name?: string | null }): Named {
  assert.equal(typeof name, 'string')
  return { uuid, name: name ?? '' }
}

async function podNow(): Promise<Record<string, unknown>> {
  return await alice.expect<Record<string, unknown>>(200, 'GET', `/v1/capsules/${pod.uuid}`)
}

/** Status and text of the answer, with what was asked for and the request's id left out. */
async function answerTo(client: ApiClient, route: Route, ident: string): Promise<{ status: number; text: string }> {
  const { query = '', ...sent } = ARGUMENTS[`${route.method} ${route.path}`] ?? {}
  const path = route.path.replace(':ident', ident).replace(':request', 'req-1')
  return await anonymous(client, route, `${path}${query === '' ? '' : `?${query}`}`, sent, ident)
}

async function anonymous(
  client: ApiClient,
  { method, maxVersion }: Pick<Route, 'method' | 'maxVersion'>,
  path: string,
  sent: Sent,
  ...secrets: readonly string[]
): Promise<{ status: number; text: string }> {
  const options = { version: `1.${maxVersion ?? 40}`, ...sent }
  const { status, text } = await client.call(method, path, options)
  let masked = text.replaceAll(/req-[0-9a-f-]{36}/g, 'REQUEST')
  for (const secret of secrets) masked = masked.replaceAll(secret, 'IDENT')
  return { status, text: masked }
}

/** The same request of Bob about what is Alice's and about what nobody has. */
async function sameAnswer(
  method: Route['method'],
  path: (ident: string) => string,
  body: ((ident: string) => object) | undefined,
  [theirs, nobodys]: readonly [string, string],
): Promise<number> {
  const [about, without] = await Promise.all(
    [theirs, nobodys].map((ident) =>
      anonymous(bob, { method }, path(ident), body === undefined ? {} : { body: body(ident) }, ident),
    ),
  )
  assert.deepEqual(about, without, `${method} ${path(theirs)}`)
  return about?.status ?? 0
}

function targetOf(path: string): Named | undefined {
  if (path.startsWith('/v1/containers/')) return box
  if (path.startsWith('/v1/local/networks/')) return network
  if (path.startsWith('/v1/local/volumes/')) return volume
  if (path.startsWith('/v1/registries/')) return registry
  if (path.startsWith('/v1/capsules/')) return pod
  if (path.startsWith('/v1/images/')) return { uuid: image, name: 'secret' }
  return undefined
}

describe('every route with an id answers for another project’s as for what was never there', () => {
  for (const route of routes) {
    const line = `${route.method} ${route.path}`
    it(line, async () => {
      const target = targetOf(route.path) ?? { uuid: randomUUID(), name: 'nobody' }
      const untouched = await alice.show(box.uuid)
      for (const [theirs, nobodys] of [
        [target.uuid, randomUUID()],
        [target.name, 'not-there'],
        [target.uuid.toUpperCase(), randomUUID().toUpperCase()],
      ] as const) {
        const answer = await answerTo(bob, route, theirs)
        assert.deepEqual(answer, await answerTo(bob, route, nobodys))
        assert.ok((ANSWERS[line] ?? [404]).includes(answer.status), answer.text)
      }
      const { status_detail: _, ...now } = await alice.show(box.uuid)
      assert.deepEqual({ ...now, status_detail: untouched.status_detail }, untouched)
    })
  }
})

test('lists have only what is one’s own, whatever they are asked', async () => {
  for (const query of [
    '',
    '?name=secret-box',
    `?project_id=${alice.projectId}`,
    `?user_id=${String(box['user_id'])}`,
    '?status=Running',
    '?sort_key=name&limit=10',
  ]) {
    const { containers } = await bob.expect<{ containers: unknown[] }>(200, 'GET', `/v1/containers${query}`)
    assert.deepEqual(containers, [], query)
  }
  for (const [resource, { uuid }] of [
    ['containers', box],
    ['local/networks', network],
    ['local/volumes', volume],
    ['registries', registry],
    ['capsules', pod],
  ] as const) {
    await sameAnswer('GET', (ident) => `/v1/${resource}?marker=${ident}`, undefined, [uuid, randomUUID()])
  }
  for (const query of ['', `?project_id=${alice.projectId}`, '?name=secret-store', '?domain=secret.example']) {
    const { registries } = await bob.expect<{ registries: unknown[] }>(200, 'GET', `/v1/registries${query}`)
    assert.deepEqual(registries, [], query)
  }
  for (const pair of [
    [registry.uuid, randomUUID()],
    [registry.name, 'nobodys-store'],
  ] as const) {
    const create = (ident: string): object => ({ image: 'busybox', registry: ident })
    assert.equal(await sameAnswer('POST', () => '/v1/containers', create, pair), 404)
  }
  const { networks } = await bob.expect<{ networks: Named[] }>(200, 'GET', '/v1/local/networks')
  assert.ok(networks.every(({ name }) => name !== network.name))
  assert.deepEqual((await bob.expect<{ volumes: unknown[] }>(200, 'GET', '/v1/local/volumes')).volumes, [])
})

test('a capsule and its members are those of its project, whoever asks for all', async () => {
  for (const query of ['', '?all_projects=true', '?sort_key=name&limit=10']) {
    const { capsules } = await bob.expect<{ capsules: unknown[] }>(200, 'GET', `/v1/capsules${query}`)
    assert.deepEqual(capsules, [], query)
  }
  const [member] = (await podNow())['containers'] as Named[]
  const uuids = [member?.uuid ?? '', randomUUID()] as const
  for (const method of ['GET', 'DELETE'] as const) {
    for (const resource of ['capsules', 'containers']) {
      assert.equal(await sameAnswer(method, (ident) => `/v1/${resource}/${ident}`, undefined, uuids), 404)
    }
  }
  assert.equal((await bob.call('DELETE', `/v1/capsules/${pod.uuid}?all_projects=true`)).status, 403)
  const mounting = (volumeID: string): object => ({
    template: {
      kind: 'capsule',
      metadata: {},
      spec: {
        containers: [{ image: 'busybox', volumeMounts: [{ name: 'wd', mountPath: '/w' }] }],
        volumes: [{ name: 'wd', cinder: { volumeID } }],
      },
    },
  })
  assert.equal(await sameAnswer('POST', () => '/v1/capsules', mounting, [volume.uuid, randomUUID()]), 404)
  assert.equal((await podNow())['status'], 'Running')
})

test('all projects are for admins: a member asks in vain, an admin gets both', async () => {
  const mine = await bob.run({ name: 'bobs-box', nets: [] })
  for (const query of ['all_projects=true', 'all_projects=1']) {
    assert.equal((await bob.call('GET', `/v1/containers?${query}`)).status, 403)
    assert.equal((await bob.call('GET', `/v1/containers/${box.uuid}?${query}`)).status, 403)
    assert.equal((await bob.call('DELETE', `/v1/containers/${box.uuid}?${query}&stop=true`)).status, 403)
  }
  assert.notEqual((await bob.call('GET', '/v1/containers?all_tenants=1')).status, 200)
  const list = async (query: string): Promise<string[]> => {
    const { containers } = await admin.expect<{ containers: Named[] }>(200, 'GET', `/v1/containers${query}`)
    return containers.map(({ name }) => name).toSorted()
  }
  assert.deepEqual(await list(''), [])
  assert.deepEqual(await list('?all_projects=true'), ['bobs-box', 'secret-box'])
  assert.deepEqual(await list(`?all_projects=true&project_id=${bob.projectId}`), ['bobs-box'])
  await bob.delete(mine.uuid)
})

test('names may be the same in two projects, and each means his own', async () => {
  const mine = await bob.run({ name: box.name, nets: [] })
  assert.equal((await bob.show(box.name)).uuid, mine.uuid)
  assert.equal((await alice.show(box.name)).uuid, box.uuid)
  for (const [resource, body] of [
    ['networks', { name: network.name }],
    ['volumes', { name: volume.name, size: 1 }],
  ] as const) {
    const made = await bob.expect<Named>(201, 'POST', `/v1/local/${resource}`, { body })
    assert.equal((await bob.expect<Named>(200, 'GET', `/v1/local/${resource}/${body.name}`)).uuid, made.uuid)
    const hers = await alice.expect<Named>(200, 'GET', `/v1/local/${resource}/${body.name}`)
    assert.notEqual(hers.uuid, made.uuid)
    await bob.expect(204, 'DELETE', `/v1/local/${resource}/${made.uuid}`)
    await until('it is gone', async () => (await bob.call('GET', `/v1/local/${resource}/${made.uuid}`)).status === 404)
    await alice.expect(200, 'GET', `/v1/local/${resource}/${hers.uuid}`)
  }
  await bob.expect(204, 'DELETE', `/v1/containers/${box.name}?stop=true`)
  await bob.waitGone(mine.uuid)
  assert.equal((await alice.show(box.name)).status, 'Running')
})

test('networks, ports and volumes of another project cannot be used, by uuid or by name', async () => {
  const mine = await bob.run({ name: 'user', nets: [] })
  const port = Object.values(box.addresses)[0]?.[0]?.port ?? ''
  const create = (part: object): object => ({ image: 'busybox', image_pull_policy: 'never', ...part })
  for (const pair of [
    [network.uuid, randomUUID()],
    [network.name, 'no-such-lan'],
  ] as const) {
    const status = await sameAnswer(
      'POST',
      () => '/v1/containers',
      (net) => create({ nets: [{ network: net }] }),
      pair,
    )
    assert.equal(status, 404)
    const attach = (net: string): string => `/v1/containers/${mine.uuid}/network_attach?network=${net}`
    assert.equal(await sameAnswer('POST', attach, undefined, pair), 404)
    const detach = (net: string): string => `/v1/containers/${mine.uuid}/network_detach?network=${net}`
    assert.equal(await sameAnswer('POST', detach, undefined, pair), 400)
  }
  const ports = [port, randomUUID()] as const
  await sameAnswer(
    'POST',
    () => '/v1/containers',
    (one) => create({ nets: [{ port: one }] }),
    ports,
  )
  for (const verb of ['attach', 'detach']) {
    await sameAnswer('POST', (one) => `/v1/containers/${mine.uuid}/network_${verb}?port=${one}`, undefined, ports)
  }
  for (const pair of [
    [volume.uuid, randomUUID()],
    [volume.name, 'no-such-data'],
  ] as const) {
    const mounts = (source: string): object => create({ mounts: [{ source, destination: '/stolen' }] })
    const status = await sameAnswer('POST', () => '/v1/containers', mounts, pair)
    assert.ok(status >= 400 && status < 500, String(status))
  }
  await bob.delete(mine.uuid)
})

test('an image that a project has committed is found by no other, however it is written', async () => {
  const { image_id: id } = await admin.expect<{ image_id: string }>(200, 'GET', `/v1/images/${image}`)
  assert.match(id, /^sha256:/)
  const made = await alice.run({ name: 'from-snapshot', image: 'secret:one', nets: [] })
  const mine = await bob.run({ name: 'rebuilder', nets: [] })
  for (const pair of [
    ['secret:one', 'secreu:one'],
    [`zund.local/${alice.projectId}/secret:one`, `zund.local/${alice.projectId}/secreu:one`],
    [`zund.local/${alice.projectId}/secret:one`, `zund.local/${randomUUID()}/secret:one`],
    [`ZUND.LOCAL/${alice.projectId}/secret:one`, `ZUND.LOCAL/${alice.projectId}/secreu:one`],
    [id, `sha256:${'0'.repeat(64)}`],
    [id.slice('sha256:'.length), '0'.repeat(64)],
    [image, randomUUID()],
  ] as const) {
    const body = (name: string): object => ({ image: name, image_pull_policy: 'never', nets: [] })
    const status = await sameAnswer('POST', () => '/v1/containers', body, pair)
    assert.ok(status >= 400 && status < 500, `${pair[0]}: ${status}`)
  }
  const rebuild = (name: string): string => `/v1/containers/${mine.uuid}/rebuild?image=${name}`
  assert.equal(await sameAnswer('POST', rebuild, undefined, ['secret:one', 'secreu:one']), 400)
  await alice.delete(made.uuid)
  await bob.delete(mine.uuid)
})

test('what belongs to a container is of no use with another container', async () => {
  const mine = await bob.run({ name: 'other', interactive: true, tty: true, nets: [] })
  const exec = await alice.expect<{ exec_id: string; proxy_url: string }>(
    200,
    'POST',
    `/v1/containers/${box.uuid}/execute?command=sh&interactive=true&run=false`,
  )
  const resize = (id: string): string => `/v1/containers/${mine.uuid}/execute_resize?exec_id=${id}&h=20&w=80`
  const ids = [exec.exec_id, 'a'.repeat(64)] as const
  assert.equal(await sameAnswer('POST', resize, undefined, ids), 400)
  const shell = await Terminal.open(exec.proxy_url)
  assert.equal(await sameAnswer('POST', resize, undefined, ids), 400, 'while it runs')
  shell.type('exit\n')
  await shell.closed

  const { containerActions: actions } = await alice.expect<{ containerActions: { request_id: string }[] }>(
    200,
    'GET',
    `/v1/containers/${box.uuid}/container_actions`,
  )
  const request = actions[0]?.request_id ?? ''
  const action = (id: string): string => `/v1/containers/${mine.uuid}/container_actions/${id}`
  assert.equal(await sameAnswer('GET', action, undefined, [request, `req-${randomUUID()}`]), 404)

  const url = new URL(await alice.expect<string>(200, 'GET', `/v1/containers/${box.uuid}/attach`))
  const own = new URL(await bob.expect<string>(200, 'GET', `/v1/containers/${mine.uuid}/attach`))
  const forged = (from: URL, change: Readonly<Record<string, string>>): string => {
    const copy = new URL(from)
    for (const [name, value] of Object.entries(change)) copy.searchParams.set(name, value)
    return copy.href
  }
  const token = (from: URL): string => from.searchParams.get('token') ?? ''
  for (const attempt of [
    forged(own, { uuid: box.uuid }),
    forged(url, { uuid: mine.uuid }),
    forged(own, { token: `${token(own).slice(0, -2)}xx` }),
    forged(own, { uuid: box.uuid, exec_id: exec.exec_id }),
  ]) {
    assert.ok([401, 403, 404].includes(await refusedWith(attempt)), attempt)
  }
  const terminal = await Terminal.open(await alice.expect<string>(200, 'GET', `/v1/containers/${box.uuid}/attach`))
  terminal.ws.close()
  await terminal.closed
  await bob.delete(mine.uuid)
})

test('nothing of the other project is in the answers, whatever was asked', async () => {
  const dump = (
    await Promise.all(
      [
        '/v1/containers',
        '/v1/capsules',
        '/v1/local/networks',
        '/v1/local/volumes',
        '/v1/availability_zones',
        '/v1/extensions',
      ].map(async (path) => (await bob.call('GET', path)).text),
    )
  ).join('\n')
  for (const secret of [box.uuid, pod.uuid, network.uuid, volume.uuid, image, alice.projectId, 'secret']) {
    assert.ok(!dump.includes(secret), secret)
  }
})
