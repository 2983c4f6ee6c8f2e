/** api-conventions 7 and 10, containers 4: pages, order, filters, other projects. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { aSpec } from '../support/builders.ts'
import { QUIET_HOST, SpecApi } from '../support/spec-api.ts'

let api: SpecApi
const uuids = new Map<string, string>()
before(async () => {
  api = await SpecApi.start()
  const rows = [
    { name: 'c', status: 'Running', memoryMiB: 512, image: 'busybox', autoRemove: false },
    { name: 'a', status: 'Stopped', memoryMiB: 64, image: 'nginx', autoRemove: true },
    { name: 'b', status: 'Running', memoryMiB: 64, image: 'busybox', autoRemove: false },
    { name: 'e', status: 'Error', memoryMiB: 128, image: 'nginx', autoRemove: false },
    { name: 'd', status: 'Running', memoryMiB: 128, image: 'nginx', autoRemove: true },
  ] as const
  for (const { name, status, ...spec } of rows) uuids.set(name, await api.row({ name, status, spec: aSpec(spec) }))
  uuids.set('bobs', await api.row({ name: 'bobs', status: 'Running', projectId: api.machine.projectId('blue') }))
  uuids.set('capsule', await api.row({ name: 'capsule', status: 'Running', kind: 1 }))
})
after(() => api.stop())

interface Page {
  readonly containers: readonly { readonly name: string; readonly uuid: string }[]
  readonly next: string | null
}

async function names(query: string, as: 'alice' | 'bob' | 'admin' = 'alice'): Promise<string> {
  const { status, body, title } = await api.ask(`GET /v1/containers${query}`, { as })
  assert.equal(status, 200, `${query}: ${title}`)
  return (body as Page).containers.map(({ name }) => name).join(' ')
}

const ORDERS: readonly (readonly [query: string, expected: string])[] = [
  ['', 'c a b e d'],
  ['/', 'c a b e d'],
  ['?sort_key=id', 'c a b e d'],
  ['?sort_key=id&sort_dir=desc', 'd e b a c'],
  ['?sort_dir=desc', 'd e b a c'],
  ['?sort_key=name', 'a b c d e'],
  ['?sort_key=name&sort_dir=desc', 'e d c b a'],
  // Ties are broken by the order of making, in the same direction.
  ['?sort_key=status', 'e c b d a'],
  ['?sort_key=status&sort_dir=desc', 'a d b c e'],
  ['?sort_key=image', 'c b a e d'],
  ['?sort_key=created_at', 'c a b e d'],
  ['?sort_key=', 'c a b e d'],
  ['?sort_key=None&sort_dir=None', 'c a b e d'],
  ['?limit=2', 'c a'],
  ['?limit=2000', 'c a b e d'],
  ['?limit=1&limit=3', 'c a b'],
  ['?limit=None', 'c a b e d'],
]

test('lists come in the order that is asked for', async () => {
  for (const [query, expected] of ORDERS) assert.equal(await names(query), expected, query)
})

const FILTERS: readonly (readonly [query: string, expected: string])[] = [
  ['name=a', 'a'],
  ['name=A', ''],
  ['name=a&name=e', 'a e'],
  ['status=Running', 'c b d'],
  ['status=running', ''],
  ['status=Running&status=Error', 'c b e d'],
  ['image=nginx', 'a e d'],
  ['memory=64', 'a b'],
  ['memory=064', ''],
  ['status=Running&image=nginx', 'd'],
  ['auto_remove=true', 'a d'],
  ['auto_remove=True', 'a d'],
  ['auto_remove=1', 'a d'],
  ['auto_remove=yes', 'a d'],
  ['auto_remove=False', 'c b e'],
  ['auto_remove=0', 'c b e'],
  ['user_id=user', 'c a b e d'],
  ['user_id=other', ''],
  ['task_state=container_creating', ''],
  ['project_id=other', ''],
  ['expand=1&resource_url=x', 'c a b e d'],
  ['name=', ''],
]

test('filters are exact, and several values of one mean any of them', async () => {
  for (const [query, expected] of FILTERS) assert.equal(await names(`?${query}`), expected, query)
})

const REFUSED: readonly (readonly [query: string, status: number, code: string, says: RegExp])[] = [
  ['limit=0', 400, 'invalid-value', /'limit'.*'0'/],
  ['limit=-1', 400, 'invalid-value', /'limit'/],
  ['limit=x', 400, 'invalid-value', /'limit'/],
  ['limit=1.5', 400, 'invalid-value', /'limit'/],
  ['sort_dir=up', 400, 'invalid-value', /'sort_dir'.*asc or desc/],
  ['sort_key=bogus', 400, 'invalid-parameter-value', /sort_key.*bogus/],
  ['sort_key=spec', 400, 'invalid-parameter-value', /sort_key/],
  ['sort_key=constructor', 400, 'invalid-parameter-value', /sort_key/],
  ['marker=0e7a2f5c-6bfd-4b63-8c46-0123456789ab', 404, 'container-not-found', /0e7a2f5c/],
  ['marker=nonsense', 404, 'container-not-found', /nonsense/],
  ['bogus=1', 400, 'invalid-value', /Unknown parameters: bogus/],
  ['bogus=1&all_tenants=1', 400, 'invalid-value', /bogus, all_tenants/],
  ['all_projects=maybe', 400, 'schema-validation-error', /'all_projects'/],
  ['auto_remove=maybe', 400, 'schema-validation-error', /'auto_remove'/],
  ['host=x', 403, 'policy-not-authorized', /container:get_one:host/],
  ['limit=%zz', 400, 'invalid-value', /percent/],
]

test('what a list cannot do is refused with the name of the parameter', async () => {
  for (const [query, status, code, says] of REFUSED) {
    const answer = await api.ask(`GET /v1/containers?${query}`)
    assert.deepEqual([answer.status, answer.code], [status, code], query)
    assert.match(answer.title, says)
  }
})

test('pages lead through all that there is, filters and all, on a path that clients can cut', async () => {
  for (const [query, expected] of [
    ['limit=2', 'c a b e d'],
    ['limit=2&sort_key=name&sort_dir=desc', 'e d c b a'],
    ['limit=1&status=Running&status=Error&image=nginx', 'e d'],
    ['limit=5', 'c a b e d'],
  ] as const) {
    const seen: string[] = []
    let url = `/container/v1/containers?${query}`
    for (let pages = 0; ; pages += 1) {
      assert.ok(pages < 8, 'the pages have an end')
      const { body } = await api.ask(`GET ${url}`, { headers: { host: 'cloud' } })
      const { containers, next } = body as Page
      seen.push(...containers.map(({ name }) => name))
      if (next === null) break
      assert.ok(next.startsWith('http://cloud/v1/containers?sort_key='), next)
      const given = new URL(next)
      assert.equal(given.searchParams.get('marker'), containers.at(-1)?.uuid)
      assert.equal(given.searchParams.get('limit'), new URLSearchParams(query).get('limit'))
      url = `${given.pathname}${given.search}`
    }
    assert.equal(seen.join(' '), expected, query)
  }
  const full = (await api.ask('GET /v1/containers?limit=5')).body as Page
  assert.notEqual(full.next, null, 'a full page has a next one even when nothing follows')
  const notFull = (await api.ask('GET /v1/containers?limit=6')).body as Page
  assert.equal(notFull.next, null)
})

test('max_limit cuts what is asked for', async () => {
  const small = await SpecApi.start({ overrides: { maxLimit: '2' } })
  for (let n = 0; n < 3; n += 1) await small.row({ name: `n${n}` })
  for (const query of ['', '?limit=1000']) {
    const { containers, next } = (await small.ask(`GET /v1/containers${query}`)).body as Page
    assert.equal(containers.length, 2)
    assert.equal(new URL(next ?? '').searchParams.get('limit'), '2')
  }
  await small.stop()
})

test('all projects are for admins, who must ask for them in a list', async () => {
  assert.equal(await names('', 'bob'), 'bobs')
  assert.equal(await names('', 'admin'), '')
  for (const yes of ['1', 't', 'true', 'TRUE', 'on', 'Y', 'yes']) {
    assert.equal(await names(`?all_projects=${yes}`, 'admin'), 'c a b e d bobs')
    const answer = await api.ask(`GET /v1/containers?all_projects=${yes}`)
    assert.deepEqual([answer.status, answer.code], [403, 'policy-not-authorized'])
    assert.match(answer.title, /container:get_all_all_projects/)
  }
  for (const no of ['', '0', 'f', 'False', 'off', 'N', 'no']) {
    assert.equal(await names(`?all_projects=${no}`), 'c a b e d')
    assert.equal(await names(`?all_projects=${no}`, 'admin'), '')
  }
  const blue = api.machine.projectId('blue')
  assert.equal(await names(`?all_projects=1&project_id=${blue}`, 'admin'), 'bobs')
  assert.equal(await names(`?project_id=${blue}`), '', 'the own project and that one')
  assert.equal(await names(`?all_projects=1&host=${QUIET_HOST}&limit=2`, 'admin'), 'c a')
  const shown = await api.ask(`GET /v1/containers/${uuids.get('c')}?all_projects=1`)
  assert.match(shown.title, /container:get_one_all_projects/)
  const deleted = await api.ask(`DELETE /v1/containers/${uuids.get('c')}?all_projects=1`)
  assert.match(deleted.title, /container:delete_all_projects/)
})
