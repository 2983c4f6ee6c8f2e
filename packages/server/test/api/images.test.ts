import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, test } from 'node:test'
import { EngineUnavailable, SystemFault, UserFault } from '../../src/domain/errors.ts'
import { snapshotReference } from '../../src/domain/image/snapshot.ts'
import { HOST, ImageApi, type Answer, type FakeHost } from '../support/image-api.ts'
import { until } from '../support/until.ts'

let api: ImageApi
let host: FakeHost
let store: ImageApi['store']
let call: ImageApi['call']

beforeEach(async () => {
  api = await ImageApi.start()
  ;({ host, store } = api)
  call = api.call.bind(api)
})

afterEach(async () => await api.stop())

function codeOf(answer: Answer): unknown {
  return (answer.body as { errors?: { code: unknown }[] }).errors?.[0]?.code
}

async function pulled(repo: string, token = 'admin:p1'): Promise<string> {
  const { status, body } = await call('POST', '/v1/images/', { token, body: { repo, host: HOST } })
  assert.equal(status, 202, JSON.stringify(body))
  return String(body['uuid'])
}

const show = async (uuid: string, token = 'admin:p1') => await call('GET', `/v1/images/${uuid}`, { token })
const isPulled = async (uuid: string) => (await show(uuid)).body['image_id'] !== null
const isGone = async (uuid: string) => (await show(uuid)).status === 400
const recordOf = async (uuid: string) => await store.images.byUuid(uuid, { kind: 'all' })

test('a pull is accepted at once and shows id and size when the host has done it', async () => {
  const { status, body, headers } = await call('POST', '/v1/images/', { body: { repo: 'busybox', host: HOST } })
  assert.equal(status, 202)
  const uuid = String(body['uuid'])
  const self = `http://localhost:80/v1/images/${uuid}`
  assert.equal(headers['location'], self)
  assert.deepEqual(body, {
    uuid,
    links: [
      { href: self, rel: 'self' },
      { href: `http://localhost:80/images/${uuid}`, rel: 'bookmark' },
    ],
    image_id: null,
    repo: 'busybox',
    tag: 'latest',
    size: null,
    project_id: 'p1',
    host: HOST,
  })
  await api.work()
  await until('the image is pulled', () => isPulled(uuid))
  const { body: after } = await show(uuid)
  assert.equal(after['size'], '1984172')
  assert.equal(after['repo'], 'busybox')
  // Named in full, so that no snapshot and no default registry can be meant.
  assert.equal(host.pulls[0]?.spec.image, 'docker.io/library/busybox:latest')
  assert.equal(host.pulls[0]?.spec.imagePullPolicy, 'always')
  assert.equal(host.pulls[0]?.isToStay, true)
})

test('the host can be named by uuid, the image with registry, tag or digest', async () => {
  const digest = `sha256:${'b'.repeat(64)}`
  const rows = [
    ['docker.io/library/nginx:1', 'nginx', '1'],
    ['r.example:5000/team/app:v2', 'r.example:5000/team/app', 'v2'],
    [`team/app@${digest}`, 'team/app', digest],
  ] as const
  for (const [repo, shownRepo, tag] of rows) {
    const { status, body } = await call('POST', '/v1/images', { body: { repo, host: api.hostUuid, tag: 'ignored' } })
    assert.deepEqual([status, body['repo'], body['tag'], body['host']], [202, shownRepo, tag, HOST])
  }
})

test('a bad request to pull says which field and why', async () => {
  const good = { repo: 'busybox', host: HOST }
  const rows: readonly [object, RegExp][] = [
    [{}, /'repo' is a required property/],
    [{ repo: 'busybox' }, /'host' is a required property/],
    [{ ...good, bogus: 1 }, /'bogus'/],
    [{ ...good, repo: 'x' }, /'repo'/],
    [{ ...good, repo: 17 }, /'repo'/],
    [{ ...good, repo: 'Bad Name' }, /'repo'/],
    [{ ...good, repo: 'a'.repeat(256) }, /'repo'/],
    [{ ...good, host: 'nowhere' }, /The host nowhere does not exist/],
    [{ ...good, host: randomUUID() }, /does not exist/],
    [{ ...good, size: '12x' }, /'size'/],
    [{ ...good, size: 1.5 }, /'size'/],
    [{ ...good, image_pull_policy: 'often' }, /'image_pull_policy'/],
    [{ ...good, tag: 5 }, /'tag'/],
    [{ ...good, repo: randomUUID() }, /could not be found/],
    [{ ...good, repo: 'zund.local/p1/x' }, /could not be found/],
  ]
  for (const [body, message] of rows) {
    const answer = await call('POST', '/v1/images', { body })
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.match(JSON.stringify(answer.body), message)
  }
  assert.deepEqual((await call('GET', '/v1/images')).body, { images: [], next: null })
  const accepted = { ...good, size: '12k', image_id: null, tag: null, image_pull_policy: 'IfNotPresent' }
  assert.equal((await call('POST', '/v1/images', { body: accepted })).status, 202)
})

test('the same image on the same host is a conflict, however it is written', async () => {
  await pulled('busybox')
  for (const repo of ['busybox:latest', 'docker.io/busybox', 'library/busybox:latest']) {
    const answer = await call('POST', '/v1/images', { body: { repo, host: HOST } })
    assert.deepEqual([answer.status, codeOf(answer)], [409, 'container.image-already-exists'], repo)
  }
})

test('only a uuid finds an image, and an unknown one is a bad request', async () => {
  const uuid = await pulled('busybox')
  for (const method of ['GET', 'DELETE'] as const) {
    const unknown = await call(method, `/v1/images/${randomUUID()}`)
    assert.deepEqual([unknown.status, codeOf(unknown)], [400, 'container.image-not-found'])
    assert.equal((await call(method, '/v1/images/busybox')).status, 404)
  }
  assert.equal((await show(uuid.toUpperCase())).status, 200)
  assert.equal((await call('GET', `/v1/images//${uuid}`)).status, 200)
})

test('members of a project may search and nothing else, strangers see nothing of it', async () => {
  const uuid = await pulled('busybox')
  const member = { token: 'member:p1' }
  const denied = [
    await call('GET', '/v1/images', member),
    await call('GET', `/v1/images/${uuid}`, member),
    await call('DELETE', `/v1/images/${uuid}`, member),
    await call('POST', '/v1/images', { ...member, body: { repo: 'nginx', host: HOST } }),
  ]
  for (const answer of denied)
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'container.policy-not-authorized'])
  assert.equal((await call('GET', '/v1/images/nginx/search', member)).status, 200)
  assert.equal((await call('GET', `/v1/images/${uuid}`, { token: 'member:p2' })).status, 400)
  assert.equal((await call('DELETE', `/v1/images/${uuid}`, { token: 'member:p2' })).status, 400)
  // An admin finds any image, and lists those of the own project.
  assert.equal((await show(uuid, 'admin:p2')).status, 200)
  assert.deepEqual((await call('GET', '/v1/images', { token: 'admin:p2' })).body['images'], [])
  assert.equal((await call('POST', '/v1/images', { token: 'admin:', body: { repo: 'x1', host: HOST } })).status, 403)
})

test('lists are paged and sorted', async () => {
  const names = ['bb', 'aa', 'cc']
  for (const name of names) await pulled(name)
  interface List {
    images: { repo: string; uuid: string }[]
    next: string | null
  }
  const list = async (query: string) => (await call<List>('GET', `/v1/images/${query}`)).body
  assert.deepEqual(
    (await list('')).images.map((image) => image.repo),
    names,
  )
  assert.deepEqual(
    (await list('?sort_key=repo')).images.map((image) => image.repo),
    ['aa', 'bb', 'cc'],
  )
  assert.deepEqual(
    (await list('?sort_key=repo&sort_dir=desc&limit=1')).images.map((i) => i.repo),
    ['cc'],
  )
  const first = await list('?limit=2')
  assert.match(first.next ?? '', /^http:\/\/localhost:80\/v1\/images\?/)
  const rest = await list(new URL(first.next ?? '').search)
  assert.deepEqual([rest.images.map((image) => image.repo), rest.next], [['cc'], null])
  for (const query of ['?limit=0', '?sort_key=bogus', '?sort_dir=up', `?marker=${randomUUID()}`]) {
    assert.equal((await call('GET', `/v1/images/${query}`)).status, 400, query)
  }
})

test('a deleted image goes from the host, then from the list; asking twice is no mistake', async () => {
  await api.work()
  const uuid = await pulled('busybox')
  await until('the image is pulled', () => isPulled(uuid))
  const { status, body } = await call('DELETE', `/v1/images/${uuid}`)
  assert.deepEqual([status, body], [200, null])
  await call('DELETE', `/v1/images/${uuid}`)
  await until('the record is gone', () => isGone(uuid))
  assert.deepEqual(host.removed, ['busybox:latest'])
  assert.equal((await call('POST', '/v1/images', { body: { repo: 'busybox', host: HOST } })).status, 202)
})

test('only what was pulled is removed: a name that means something newer by now stays', async () => {
  await api.work()
  const uuid = await pulled('busybox')
  await until('the image is pulled', () => isPulled(uuid))
  const newer = {
    id: 'sha256:newer',
    repoTags: ['busybox:latest'],
    repoDigests: [],
    sizeBytes: 1,
    command: null,
    entrypoint: null,
  }
  host.store.set('busybox:latest', newer)
  await call('DELETE', `/v1/images/${uuid}`)
  await until('the record is gone', () => isGone(uuid))
  assert.deepEqual(host.removed, [])
})

test('an image in use stays listed, and can be deleted later', async () => {
  await api.work()
  const uuid = await pulled('busybox')
  await until('the image is pulled', () => isPulled(uuid))
  host.inUse = true
  await call('DELETE', `/v1/images/${uuid}`)
  await until('the failure is noted', async () => (await recordOf(uuid))?.error !== null)
  assert.equal((await show(uuid)).status, 200)
  host.inUse = false
  await call('DELETE', `/v1/images/${uuid}`)
  await until('the record is gone', () => isGone(uuid))
})

test('a pull that fails leaves the record without an id, and the reason in it', async () => {
  host.onPull = async () => {
    throw new UserFault('image.not_found', 'image busybox was not found')
  }
  const uuid = await pulled('busybox')
  await api.work()
  await until('the pull has ended', async () => (await recordOf(uuid))?.pending === null)
  assert.match((await recordOf(uuid))?.error ?? '', /was not found/)
  assert.equal((await show(uuid)).body['image_id'], null)
  await call('DELETE', `/v1/images/${uuid}`)
  await until('the record is gone', () => isGone(uuid))
  assert.deepEqual(host.removed, [])
})

test('a pull that waits for the engine goes on in the next life of the host', async () => {
  let tries = 0
  host.onPull = async () => {
    tries += 1
    throw new EngineUnavailable('the engine does not answer')
  }
  const uuid = await pulled('busybox')
  const first = await api.work()
  await until('the pull was tried', async () => tries > 0)
  await first.stop()
  assert.equal((await recordOf(uuid))?.pending, 'pull')
  host.onPull = async () => undefined
  await api.work()
  await until('the image is pulled', () => isPulled(uuid))
})

test('deleting what is still being pulled stops the pull', async () => {
  let stopped = false
  host.onPull = async (pulling) => {
    await new Promise((_resolve, reject) => {
      pulling.addEventListener('abort', () => {
        stopped = true
        reject(pulling.reason as Error)
      })
    })
  }
  await api.work()
  const uuid = await pulled('busybox')
  await until('the pull runs', async () => host.pulls.length === 1)
  await call('DELETE', `/v1/images/${uuid}`)
  await until('the record is gone', () => isGone(uuid))
  assert.equal(stopped, true)
})

test('an older life of the host can report nothing any more', async () => {
  const release = Promise.withResolvers<void>()
  host.onPull = async () => await release.promise
  const old = await api.work()
  const uuid = await pulled('busybox')
  await until('the pull runs', async () => host.pulls.length === 1)
  await api.newSession()
  release.resolve()
  await old.stop()
  assert.equal((await recordOf(uuid))?.pending, 'pull')
})

test('images of a host that was removed for good go at once', async () => {
  const uuid = await pulled('busybox')
  await store.write((tx) => tx.hosts.remove(HOST))
  await call('DELETE', `/v1/images/${uuid}`)
  assert.equal(await isGone(uuid), true)
})

test("a snapshot is listed for its project's admin under the name the user gave it", async () => {
  const uuid = randomUUID()
  const repo = snapshotReference('p1', 'team/snap')
  await store.write((tx) =>
    tx.images.insert({
      uuid,
      imageId: 'sha256:snap',
      repo,
      tag: '1',
      sizeBytes: 5,
      host: HOST,
      projectId: 'p1',
      userId: 'u',
      pending: null,
      error: null,
    }),
  )
  assert.deepEqual([(await show(uuid)).body['repo'], (await show(uuid)).body['tag']], ['team/snap', '1'])
  assert.equal((await show(uuid, 'admin:p2')).body['repo'], 'team/snap')
  const snap = { id: 'sha256:snap', repoTags: [], repoDigests: [], sizeBytes: 5, command: null, entrypoint: null }
  host.store.set(`${repo}:1`, snap)
  await api.work()
  await call('DELETE', `/v1/images/${uuid}`)
  await until('the record is gone', () => isGone(uuid))
  assert.deepEqual(host.removed, [`${repo}:1`])
})

test('a search goes to a host, with slashes, tags and prefixes as clients write them', async () => {
  const found = (name: string) => ({
    name,
    description: 'd',
    is_automated: false,
    metadata: { is_official: true, star_count: 3 },
  })
  api.search = async () => [found('nginx'), found('team/nginx')]
  const rows = [
    ['/v1/images/nginx/search', 'nginx'],
    ['/v1/images/nginx:1.2/search?exact_match=False', 'nginx'],
    ['/v1/images/team/nginx/search', 'team/nginx'],
    ['/v1/images/team%2Fnginx/search', 'team/nginx'],
    ['/v1/images/docker.io/library/nginx:1/search?image_driver=docker', 'nginx'],
    ['/v1/images/nginx/search?image_driver=None', 'nginx'],
    ['/v1/images/nginx/search?image_driver=', 'nginx'],
  ] as const
  for (const [url, term] of rows) {
    const { status, body } = await call<unknown[]>('GET', url)
    assert.deepEqual([status, body.length, api.searched.pop()], [200, 2, `${HOST} ${term}`], url)
  }
  const exact = await call<unknown[]>('GET', '/v1/images/nginx/search?exact_match=True')
  assert.deepEqual(exact.body, [found('nginx')])
})

test('a search that cannot be made says so', async () => {
  const bad = [
    '/v1/images/nginx/search?image_driver=glance',
    '/v1/images/nginx/search?image_driver=bogus',
    '/v1/images/nginx/search?exact_match=maybe',
    '/v1/images/nginx/search?bogus=1',
    '/v1/images/r.example/nginx/search',
    '/v1/images/127.0.0.1:5000/nginx/search',
    '/v1/images/Bad%20Name/search',
    `/v1/images/${'a'.repeat(300)}/search`,
  ]
  for (const url of bad) assert.equal((await call('GET', url)).status, 400, url)
  assert.deepEqual(api.searched, [])
  for (const url of ['/v1/images/a/b', '/v1/images/search', '/v1/images/a/b/search/more']) {
    assert.equal((await call('GET', url)).status, 404, url)
  }
  assert.equal((await call('POST', '/v1/images/nginx/search')).status, 404)
  api.search = async () => {
    throw new SystemFault('engine.failed', 'dial tcp: no such host')
  }
  const away = await call('GET', '/v1/images/nginx/search')
  assert.equal(away.status, 503)
  assert.doesNotMatch(JSON.stringify(away.body), /dial tcp/)
})

test('a host that is up is asked; without one the search is unavailable', async () => {
  await store.write(async (tx) => {
    await tx.hosts.beginSession({ host: 'host-2', availabilityZone: 'nova', uuidIfNew: randomUUID() })
    await tx.hosts.setForcedDown(HOST, true)
  })
  await call('GET', '/v1/images/nginx/search')
  assert.deepEqual(api.searched, ['host-2 nginx'])
  await store.write((tx) => tx.hosts.setForcedDown('host-2', true))
  assert.equal((await call('GET', '/v1/images/nginx/search')).status, 503)
})
