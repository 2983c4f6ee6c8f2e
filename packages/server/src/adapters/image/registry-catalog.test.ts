import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import type { ImageRequest, LocalImage } from '../../orchestration/ports/drivers.ts'
import type { RegistryAuth } from '../../orchestration/ports/wire.ts'
import { CATALOG_DEFAULTS, RegistryCatalog, type RegistryCatalogOptions } from './registry-catalog.ts'
import type { RegistryAnswer } from './registry-client.ts'

const signal = AbortSignal.timeout(30_000)
const LOCAL: LocalImage = { reference: 'sha256:1', id: 'sha256:1', driver: 'docker' }

function request(
  image: string,
  more: Partial<ImageRequest> & { policy?: 'ifnotpresent' | 'never' } = {},
): ImageRequest {
  const { policy = null, ...rest } = more
  return {
    spec: { image, imageDriver: 'docker', imagePullPolicy: policy },
    projectId: 'p1',
    registryDomain: null,
    auth: null,
    ...rest,
  }
}

interface World {
  readonly asked: string[]
  readonly catalog: RegistryCatalog
}

/** A registry with these answers by reference, and hosts with these images by reference as the request names it. */
function world(
  answers: Record<string, RegistryAnswer | 'silence'>,
  onHosts: Record<string, readonly string[] | 'silence'> = { h1: [] },
  options: Partial<RegistryCatalogOptions> = {},
): World {
  const asked: string[] = []
  const catalog = new RegistryCatalog({
    registry: {
      check: async (image, auth, o) => {
        asked.push(`${image.reference} ${auth?.username ?? '-'}`)
        const answer = answers[image.reference] ?? 'absent'
        return answer === 'silence' ? await sleep(60_000, 'unknown' as const, o) : answer
      },
    },
    gateway: {
      findImage: async (host, { spec, projectId }, o) => {
        const images = onHosts[host] ?? []
        if (images === 'silence') return await sleep(60_000, undefined, o)
        return images.includes(spec.image) || images.includes(`${projectId}:${spec.image}`) ? LOCAL : undefined
      },
    },
    upHosts: async () => Object.keys(onHosts),
    defaultRegistry: null,
    defaultAuth: null,
    deadlineMs: 150,
    keepMs: CATALOG_DEFAULTS.keepMs,
    ...options,
  })
  return { asked, catalog }
}

test('by the policy `always` the registry says, `never` only the hosts, `ifnotpresent` one after the other', async () => {
  const { asked, catalog } = world(
    { 'r.example/there:1': 'exists', 'r.example/shut:1': 'denied' },
    { h1: [], h2: ['r.example/here:1'] },
  )
  const check = (image: string, policy?: 'ifnotpresent' | 'never') =>
    catalog.check(request(image, policy === undefined ? {} : { policy }), null, { signal })
  assert.equal(await check('r.example/there:1'), 'exists')
  assert.equal(await check('r.example/shut:1'), 'denied')
  assert.equal(await check('r.example/none:1'), 'absent')
  assert.equal(await check('r.example/here:1', 'never'), 'exists')
  assert.equal(await check('r.example/there:1', 'never'), 'absent')
  assert.equal(asked.length, 3)
  assert.equal(await check('r.example/here:1', 'ifnotpresent'), 'exists')
  assert.equal(await check('r.example/there:1', 'ifnotpresent'), 'exists')
  assert.equal(await catalog.check(request('r.example/here:1', { policy: 'never' }), 'h1', { signal }), 'absent')
})

test("a snapshot is there for its project, whatever the policy, and not for another's", async () => {
  const { catalog } = world({}, { h1: ['p1:snap', 'p1:zund.local/p1/snap:latest'] })
  assert.equal(await catalog.check(request('snap'), null, { signal }), 'exists')
  assert.equal(await catalog.check(request('snap', { projectId: 'p2' }), null, { signal }), 'absent')
  assert.equal(await catalog.check(request('zund.local/p1/snap:latest'), null, { signal }), 'exists')
  const foreign = request('zund.local/p1/snap:latest', { projectId: 'p2' })
  assert.equal(await catalog.check(foreign, null, { signal }), 'absent')
})

test('an answer is kept, and everybody who asks meanwhile waits for one look-up', async () => {
  const { asked, catalog } = world({ 'r.example/a:1': 'exists' })
  const ask = () => catalog.check(request('r.example/a:1'), null, { signal })
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), ['exists', 'exists', 'exists'])
  assert.equal(await ask(), 'exists')
  assert.equal(asked.length, 1)
})

test('what some credentials opened stays shut for others', async () => {
  const { asked, catalog } = world({ 'r.example/a:1': 'exists' })
  const ann: RegistryAuth = { serverAddress: 'r.example', username: 'ann', password: 'x' }
  for (const auth of [ann, { ...ann, password: 'y' }, { ...ann, username: 'bob' }, null, { ...ann }]) {
    await catalog.check(request('r.example/a:1', { auth }), null, { signal })
  }
  assert.deepEqual(
    asked,
    ['ann', 'ann', 'bob', '-'].map((name) => `r.example/a:1 ${name}`),
  )
})

test("credentials go to their own registry, the operator's to the default one", async () => {
  const defaultAuth: RegistryAuth = { serverAddress: 'd.example', username: 'op', password: 'x' }
  const { asked, catalog } = world({}, { h1: [] }, { defaultRegistry: 'd.example', defaultAuth })
  const auth: RegistryAuth = { serverAddress: 'https://r.example/v2/', username: 'ann', password: 'x' }
  for (const name of ['r.example/a:1', 'other.example/a:1', 'a:1']) {
    await catalog.check(request(name, { auth }), null, { signal })
  }
  assert.deepEqual(asked, ['r.example/a:1 ann', 'other.example/a:1 -', 'd.example/a:1 op'])
})

test('no answer in time is `unknown`, and the silent registry is then left alone for a while', async () => {
  const { asked, catalog } = world({ 'r.example/a:1': 'silence' })
  assert.equal(await catalog.check(request('r.example/a:1'), null, { signal }), 'unknown')
  // Its own deadline is as long as the caller's; the note is made when that has run out.
  await until(async () => (await catalog.check(request('r.example/b:1'), null, { signal })) === 'unknown')
  const before = asked.length
  assert.equal(await catalog.check(request('r.example/c:1'), null, { signal }), 'unknown')
  assert.equal(asked.length, before)
  assert.equal(await catalog.check(request('other.example/c:1'), null, { signal }), 'absent')
})

test('a host that does not say makes `absent` unknown, and never `exists`', async () => {
  const { catalog } = world({ 'r.example/there:1': 'exists' }, { h1: 'silence' }, { deadlineMs: 100 })
  assert.equal(await catalog.check(request('x', { policy: 'never' }), null, { signal }), 'unknown')
  const nobody = world({ 'r.example/there:1': 'exists' }, {})
  assert.equal(await nobody.catalog.check(request('r.example/there:1'), null, { signal }), 'exists')
  assert.equal(await nobody.catalog.check(request('x', { policy: 'never' }), null, { signal }), 'unknown')
})

test('a caller who leaves gets nothing, and does not spoil the look-up for those who stay', async () => {
  const { catalog } = world({ 'r.example/a:1': 'silence' })
  const leave = new AbortController()
  const gone = catalog.check(request('r.example/a:1'), null, { signal: leave.signal })
  const stays = catalog.check(request('r.example/a:1'), null, { signal })
  leave.abort(new Error('left'))
  await assert.rejects(gone, /left/)
  assert.equal(await stays, 'unknown')
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'it did not become so in time')
    await sleep(5)
  }
}
