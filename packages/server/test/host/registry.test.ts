/** Images from a real registry, through the API of a real service: what the user is told, and what the engine gets. */
import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { after, afterEach, before, test, type TestContext } from 'node:test'
import type { ApiClient, ContainerBody } from '../support/api-client.ts'
import { closeAll } from '../support/close-all.ts'
import * as registries from '../support/registry.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

const LOGIN = { username: 'operator', password: 'right pass' }

/** Larger than what is sent at once on a slow line. */
const BIG_LAYER = 100_000

interface Action {
  readonly action: string
  readonly request_id: string
  readonly finish_time: string | null
  readonly message: string | null
  readonly events: readonly { readonly event: string; readonly finish_time: string | null; readonly result: string }[]
}

let open: registries.TestRegistry
let locked: registries.TestRegistry
let front: registries.Front
let zund: ZundProcess
let client: ApiClient

before(async () => {
  ;[open, locked] = await Promise.all([registries.start(), registries.start({ login: LOGIN })])
  front = await registries.startFront(open)
  zund = await ZundProcess.start({ conf: defaultRegistry(LOGIN.password) })
  client = await zund.client()
})

after(() =>
  closeAll(
    () => zund.destroy(),
    () => removeImages(),
    () => front.stop(),
    () => open.stop(),
    () => locked.stop(),
  ),
)

async function removeImages(): Promise<void> {
  for (const { RepoTags } of await zund.engine.api<{ RepoTags: string[] | null }[]>('GET', '/images/json')) {
    for (const tag of RepoTags ?? []) if (isOurs(tag)) await zund.engine.api('DELETE', `/images/${tag}?force=1`)
  }
}

/** Their addresses are few. */
afterEach(async () => {
  const { containers } = await client.expect<{ containers: ContainerBody[] }>(200, 'GET', '/v1/containers')
  for (const { uuid } of containers) await client.delete(uuid)
})

function isOurs(tag: string): boolean {
  return [open, locked, front].some(({ domain }) => tag.startsWith(`${domain}/`))
}

function defaultRegistry(password: string): string {
  return `[docker]
default_registry = ${locked.domain}
default_registry_username = ${LOGIN.username}
default_registry_password = ${password}`
}

const create = async (image: string, more: object = {}): Promise<ContainerBody> =>
  await client.expect(202, 'POST', '/v1/containers', { body: { image, ...more } })

const created = async (image: string, more: object = {}): Promise<ContainerBody> => {
  const { uuid } = await create(image, more)
  return await client.waitFor(uuid, (found) => found.status === 'Created' && found.task_state === null)
}

/** Id of the image that the engine's container is made of. */
async function imageOf({ uuid }: ContainerBody): Promise<string> {
  return (await zund.engine.api<{ Image: string }>('GET', `/containers/zun-${uuid}/json`)).Image
}

async function refusal(image: string, more: object = {}): Promise<{ status: number; title: string }> {
  const { status, body } = await client.call('POST', '/v1/containers', { body: { image, ...more } })
  return { status, title: (body as { errors: { title: string }[] }).errors[0]?.title ?? '' }
}

async function actionOf({ uuid }: ContainerBody, verb: string): Promise<Action> {
  const { containerActions } = await client.expect<{ containerActions: Action[] }>(
    200,
    'GET',
    `/v1/containers/${uuid}/container_actions`,
  )
  const id = containerActions.find(({ action }) => action === verb)?.request_id ?? ''
  // Events are for admins.
  const admin = await zund.client('zund-admin')
  return await admin.expect(200, 'GET', `/v1/containers/${uuid}/container_actions/${id}`)
}

const blobFetches = (): string[] => front.seen.filter((line) => line.startsWith('GET') && line.includes('/blobs/'))

test('an image of a registry for everybody, by tag, by digest and without either', async () => {
  const digest = await open.upload('team/tool', 'v1')
  const byTag = await imageOf(await created(`${open.domain}/team/tool:v1`))
  const { RepoDigests } = await zund.engine.api<{ RepoDigests: string[] }>('GET', `/images/${byTag}/json`)
  assert.deepEqual(RepoDigests, [`${open.domain}/team/tool@${digest}`])
  await open.upload('team/tool', 'v1')
  assert.equal(await imageOf(await created(`${open.domain}/team/tool@${digest}`)), byTag)
  const latest = await open.upload('team/tool', 'latest')
  const unnamed = await imageOf(await created(`${open.domain}/team/tool`))
  const answer = await zund.engine.api<{ RepoDigests: string[] }>('GET', `/images/${unnamed}/json`)
  assert.deepEqual(answer.RepoDigests, [`${open.domain}/team/tool@${latest}`])
})

test('a short name is looked for in the default registry, with the password of the operator', async () => {
  await locked.upload('team/locked', 'v1')
  const container = await created('team/locked:v1')
  assert.equal(container['image'], 'team/locked:v1')
  const image = await imageOf(container)
  const { RepoTags } = await zund.engine.api<{ RepoTags: string[] }>('GET', `/images/${image}/json`)
  assert.deepEqual(RepoTags, [`${locked.domain}/team/locked:v1`])
  assert.ok(!JSON.stringify(container).includes(LOGIN.password))
})

test('with a wrong password the request is refused with a reason, and the log has no password', async (t) => {
  await locked.upload('team/denied', 'v1')
  const other = await ZundProcess.start({ conf: defaultRegistry('wrong pass') })
  t.after(() => other.destroy())
  const user = await other.client()
  const { status, body } = await user.call('POST', '/v1/containers', { body: { image: 'team/denied:v1' } })
  assert.equal(status, 400)
  assert.match(JSON.stringify(body), /Image team\/denied:v1 could not be found, or access to it was refused/)
  assert.doesNotMatch(JSON.stringify(body) + other.output + other.log(), /wrong pass/)
})

test('a tag that has moved: never and ifnotpresent keep what is there, always takes the new one', async () => {
  const name = `${open.domain}/team/moving:stable`
  await open.upload('team/moving', 'stable')
  const absent = await refusal(name, { image_pull_policy: 'never' })
  assert.deepEqual(absent.status, 400)
  assert.match(absent.title, /could not be found on the host, and the pull policy is never/)
  const first = await imageOf(await created(name, { image_pull_policy: 'ifnotpresent' }))
  await open.upload('team/moving', 'stable')
  assert.equal(await imageOf(await created(name, { image_pull_policy: 'never' })), first)
  assert.equal(await imageOf(await created(name, { image_pull_policy: 'ifnotpresent' })), first)
  const second = await imageOf(await created(name, { image_pull_policy: 'always' }))
  assert.notEqual(second, first)
  await open.upload('team/moving', 'stable')
  const third = await imageOf(await created(name))
  assert.notEqual(third, second, 'without a policy the registry is asked')
  assert.equal(await imageOf(await created(name, { image_pull_policy: 'never' })), third)
})

test('what no registry has is refused before it is accepted', async () => {
  await open.upload('team/there', 'v1')
  for (const name of [
    `${open.domain}/team/nowhere:v1`,
    `${open.domain}/team/there:v2`,
    `${open.domain}/team/there@sha256:${'0'.repeat(64)}`,
    'team/nowhere:v1',
  ]) {
    const { status, title } = await refusal(name)
    assert.equal(status, 400, name)
    assert.ok(title.startsWith(`Image ${name} could not be found`), title)
  }
  const { containers } = await client.expect<{ containers: ContainerBody[] }>(200, 'GET', '/v1/containers')
  assert.ok(containers.every((container) => !String(container['image']).includes('nowhere')))
})

test('a registry that takes the call and never answers does not hold up the request, nor the delete', async (t) => {
  const silent = await silentRegistry(t)
  const container = await create(`${silent.domain}/team/tool:v1`)
  assert.ok(silent.connections() > 0)
  const waiting = await until('the pull is under way', async () => {
    const found = await client.show(container.uuid)
    return found.task_state === 'image_pulling' && found
  })
  assert.equal(waiting.status, 'Creating')
  // Others are not held up either, and nobody has to wait for the end of it.
  await created(`${open.domain}/team/there:v1`)
  const admin = await zund.client('zund-admin')
  await admin.expect(204, 'DELETE', `/v1/containers/${container.uuid}?force=true`)
  await client.waitGone(container.uuid)
})

test('while a pull runs the user sees how far it is, and afterwards that it is over', async (t) => {
  t.after(() => front.speedUp())
  await open.upload('team/slow', 'v1', [BIG_LAYER, 1024])
  front.slowDown()
  const container = await create(`${front.domain}/team/slow:v1`)
  const first = await until('progress is shown', async () => {
    const { status_detail: detail, task_state: task } = await client.show(container.uuid)
    return task === 'image_pulling' && /\d/.test(detail ?? '') && detail
  })
  await until('it goes on', async () => {
    const { status_detail: detail } = await client.show(container.uuid)
    return /\d/.test(detail ?? '') && detail !== first
  })
  const running = await actionOf(container, 'create')
  assert.equal(running.finish_time, null)
  assert.ok(
    running.events.some((event) => event.finish_time === null),
    JSON.stringify(running),
  )
  front.speedUp()
  await client.waitFor(container.uuid, (found) => found.status === 'Created' && found.task_state === null)
  const done = await actionOf(container, 'create')
  assert.ok(done.finish_time !== null && done.message === null)
  assert.ok(done.events.every((event) => event.result === 'Success' && event.finish_time !== null))
})

test('containers that wait for the same image share one pull', async (t) => {
  t.after(() => front.speedUp())
  await open.upload('team/shared', 'v1', [BIG_LAYER])
  front.slowDown()
  const earlier = blobFetches().length
  const waiting = await Promise.all([1, 2, 3].map(() => create(`${front.domain}/team/shared:v1`)))
  await until('all of them wait', async () => {
    const found = await Promise.all(waiting.map(({ uuid }) => client.show(uuid)))
    return found.every((one) => one.task_state === 'image_pulling') && blobFetches().length > earlier
  })
  front.speedUp()
  for (const { uuid } of waiting) await client.waitFor(uuid, (found) => found.status === 'Created')
  const fetched = blobFetches().slice(earlier)
  assert.deepEqual(fetched.toSorted(), [...new Set(fetched)].toSorted(), 'a blob was fetched twice')
  // The engine would join the downloads of several pulls by itself; each of them would ask for the manifest first.
  const manifests = front.seen.filter((line) => line.startsWith('GET /v2/team/shared/manifests/'))
  assert.equal(manifests.length, 1, manifests.join())
  const images = await Promise.all(waiting.map(imageOf))
  assert.equal(new Set(images).size, 1)
})

test('kill -9 in the middle of a pull: the next life pulls, and the container is there', async (t) => {
  t.after(() => front.speedUp())
  await open.upload('team/killed', 'v1', [BIG_LAYER])
  front.slowDown()
  const container = await create(`${front.domain}/team/killed:v1`)
  const earlier = blobFetches().length
  await until('the pull is under way', async () => {
    return blobFetches().length > earlier && (await client.show(container.uuid)).task_state === 'image_pulling'
  })
  await zund.kill()
  front.speedUp()
  await zund.up()
  client = await zund.client()
  const found = await client.waitFor(container.uuid, (one) => one.status === 'Created' && one.task_state === null)
  const { RepoTags } = await zund.engine.api<{ RepoTags: string[] }>('GET', `/images/${await imageOf(found)}/json`)
  assert.deepEqual(RepoTags, [`${front.domain}/team/killed:v1`])
  assert.equal((await actionOf(container, 'create')).message, null)
})

/** Something that takes connections on a port and says nothing. */
async function silentRegistry(t: TestContext): Promise<{ domain: string; connections: () => number }> {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { domain: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => sockets.size }
}
