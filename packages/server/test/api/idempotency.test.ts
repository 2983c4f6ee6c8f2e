/** Creates with an Idempotency-Key (docs/api/events.md). */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { SpecApi, type Answer, type Request } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ quietHost: false })
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.settled()
  await api.machine.clearContainers()
  await api.machine.store.write((tx) => tx.idempotency.purge(-1_000, 1_000).then(() => undefined))
  assert.deepEqual(api.machine.errors, [])
})

const BOX = { image: 'busybox', command: ['serve'], memory: 64 }
const POD = {
  template: { spec: { containers: [{ image: 'busybox', command: ['serve'] }] }, kind: 'capsule', metadata: {} },
}

const post = async (
  key: string,
  { path = '/v1/containers?run=true', body = BOX, ...request }: Request & { path?: string } = {},
) => await api.ask(`POST ${path}`, { body, headers: { 'idempotency-key': key }, ...request })

const uuidOf = ({ status, text, body }: Answer): string => {
  assert.equal(status, 202, text)
  return (body as { uuid: string }).uuid
}

const count = async (path: string): Promise<number> => {
  const { body } = await api.ask(`GET ${path}`)
  return (
    (body as { containers?: unknown[]; capsules?: unknown[] }).containers ?? (body as { capsules: unknown[] }).capsules
  ).length
}

for (const [what, path, body] of [
  ['container', '/v1/containers?run=true', BOX],
  ['capsule', '/v1/capsules', POD],
] as const) {
  test(`the same ${what}, asked for twice, is made once`, async () => {
    const first = await post('k', { path, body })
    await api.machine.settled()
    const second = await post('k', { path, body })
    assert.equal(uuidOf(second), uuidOf(first))
    assert.equal(second.headers['location'], first.headers['location'])
    assert.deepEqual(
      [first, second].map(({ headers }) => headers['idempotency-replayed']),
      [undefined, 'true'],
    )
    assert.deepEqual(
      [first, second].map((answer) => (answer.body as { status: string }).status),
      ['Creating', 'Running'],
    )
    assert.equal(await count(path.split('?')[0] ?? ''), 1)
  })
}

test('of many that come at once one makes it', async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, () => post('k')))
  assert.equal(new Set(answers.map(uuidOf)).size, 1)
  assert.equal(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined).length, 1)
  assert.equal(await count('/v1/containers'), 1)
})

test('another request with the same key is refused, whatever differs', async () => {
  uuidOf(await post('k'))
  for (const other of [
    { body: { ...BOX, memory: 65 } },
    { path: '/v1/containers' },
    { path: '/v1/capsules', body: POD },
    { minor: 39 },
  ]) {
    const answer = await post('k', other)
    assert.deepEqual([answer.status, answer.code], [422, 'idempotency-key-reused'], JSON.stringify(other))
  }
  assert.equal(await count('/v1/containers'), 1)
})

test('a key is its user’s and its project’s', async () => {
  const own = uuidOf(await post('k'))
  assert.notEqual(uuidOf(await post('k', { as: 'bob' })), own)
  assert.notEqual(uuidOf(await post('k', { as: 'admin' })), own)
})

test('a request that was refused leaves its key free', async () => {
  const bad = { ...BOX, image: 'no-such-image' }
  assert.equal((await post('k', { body: bad })).status, 400)
  assert.equal((await post('k', { body: { ...BOX, memory: -1 } })).status, 400)
  uuidOf(await post('k'))
})

test('what was made and deleted is not made again', async () => {
  const uuid = uuidOf(await post('k'))
  await api.machine.settled()
  assert.equal((await api.ask(`DELETE /v1/containers/${uuid}?stop=true`)).status, 204)
  await api.machine.settled()
  const again = await post('k')
  assert.equal(again.status, 404)
  assert.match(again.title, new RegExp(uuid))
  assert.equal(await count('/v1/containers'), 0)
})

test('a key that is over makes another one', async () => {
  const uuid = uuidOf(await post('k'))
  await api.machine.store.write((tx) => tx.idempotency.purge(-1_000, 10).then(() => undefined))
  assert.notEqual(uuidOf(await post('k')), uuid)
})

test('keys have limits', async () => {
  uuidOf(await post('~'.repeat(255)))
  for (const [key, words] of [
    ['', /header 'idempotency-key'.*between 1 and 255/],
    ['k'.repeat(256), /between 1 and 255/],
    ['two words', /visible ASCII/],
    ['schlüssel', /visible ASCII/],
  ] as const) {
    const answer = await post(key)
    assert.equal(answer.status, 400, key)
    assert.match(answer.title, words)
  }
})
