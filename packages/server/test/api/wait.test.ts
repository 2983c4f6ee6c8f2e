/** `?wait=` of one container or capsule (docs/api/events.md). */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { inspect } from 'node:util'
import { SpecApi, type Answer } from '../support/spec-api.ts'
import { until } from '../support/until.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start()
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.clearContainers()
  assert.deepEqual(api.machine.errors, [])
})

const BOX = { image: 'busybox', command: ['serve'], memory: 64 }

async function make(path = '/v1/containers?run=true', body: object = BOX): Promise<string> {
  const answer = await api.ask(`POST ${path}`, { body })
  assert.equal(answer.status, 202, answer.text)
  return (answer.body as { uuid: string }).uuid
}

const of = ({ status, headers, body }: Answer): unknown[] => [
  status,
  headers['x-zund-wait'],
  (body as { status?: string } | undefined)?.status,
]

test('it answers when the status is one of those, in any case of letters', async () => {
  const uuid = await make()
  assert.deepEqual(of(await api.ask(`GET /v1/containers/${uuid}?wait=running`)), [200, 'reached', 'Running'])
  assert.deepEqual(of(await api.ask(`GET /v1/containers/${uuid}?wait=Stopped,RUNNING`)), [200, 'reached', 'Running'])
  const stopping = api.ask(`GET /v1/containers/${uuid}?wait=Stopped`)
  assert.equal((await api.ask(`POST /v1/containers/${uuid}/stop`)).status, 202)
  assert.deepEqual(of(await stopping), [200, 'reached', 'Stopped'])
})

test('a deletion is waited for, also one that is over; of others a deleted one is not found', async () => {
  const uuid = await make()
  await api.machine.settled()
  const [gone, running] = [
    api.ask(`GET /v1/containers/${uuid}?wait=Deleted`),
    api.ask(`GET /v1/containers/${uuid}?wait=Paused`),
  ]
  assert.equal((await api.ask(`DELETE /v1/containers/${uuid}?stop=true`)).status, 204)
  assert.deepEqual(of(await gone), [204, 'reached', undefined])
  assert.equal((await running).status, 404)
  assert.deepEqual(of(await api.ask(`GET /v1/containers/${uuid}?wait=deleted`)), [204, 'reached', undefined])
  assert.equal((await api.ask(`GET /v1/containers/${uuid}?wait=deleted`, { as: 'bob' })).status, 404)
  assert.equal((await api.ask('GET /v1/containers/nothing?wait=deleted')).status, 404)
})

test('what is in Error for good is answered at once, unless that is what was waited for', async () => {
  const uuid = await make(undefined, { ...BOX, command: ['no-such-program'] })
  assert.deepEqual(of(await api.ask(`GET /v1/containers/${uuid}?wait=Running`)), [200, 'never', 'Error'])
  assert.deepEqual(of(await api.ask(`GET /v1/containers/${uuid}?wait=Running,Error`)), [200, 'reached', 'Error'])
})

test('an Error that something is under way against is waited for', async () => {
  const uuid = await api.row({ status: 'Error' })
  assert.equal((await api.ask(`DELETE /v1/containers/${uuid}?force=true`, { as: 'admin' })).status, 204)
  await api.machine.store.write((tx) => tx.containers.update(uuid, { status: 'Error' }).then(() => undefined))
  assert.deepEqual(of(await api.ask(`GET /v1/containers/${uuid}?wait=Running&timeout=0`)), [200, 'timeout', 'Error'])
  await api.machine.store.write((tx) => tx.containers.remove(uuid).then(() => undefined))
})

test('when the time is over it answers as it is', async () => {
  const uuid = await make()
  await api.machine.settled()
  assert.deepEqual(of(await api.ask(`GET /v1/containers/${uuid}?wait=Stopped&timeout=0`)), [200, 'timeout', 'Running'])
  assert.deepEqual(of(await api.ask(`GET /v1/containers/${uuid}?wait=Stopped&timeout=1`)), [200, 'timeout', 'Running'])
  assert.deepEqual(of(await api.ask(`GET /v1/containers/${uuid}?timeout=1`)), [200, undefined, 'Running'])
})

test('capsules are waited for in the same way', async () => {
  const template = { spec: { containers: [{ image: 'busybox', command: ['serve'] }] }, kind: 'capsule', metadata: {} }
  const uuid = await make('/v1/capsules', { template })
  assert.deepEqual(of(await api.ask(`GET /v1/capsules/${uuid}?wait=Running`)), [200, 'reached', 'Running'])
  const gone = api.ask(`GET /v1/capsules/${uuid}?wait=Deleted`)
  assert.equal((await api.ask(`DELETE /v1/capsules/${uuid}`)).status, 204)
  assert.deepEqual(of(await gone), [204, 'reached', undefined])
})

test('many wait at once, each for its own', async () => {
  const uuids = await Promise.all(Array.from({ length: 6 }, () => make()))
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, n) => api.ask(`GET /v1/containers/${uuids[n % 6]}?wait=Running`)),
  )
  for (const [n, answer] of answers.entries()) {
    assert.deepEqual(of(answer), [200, 'reached', 'Running'])
    assert.equal((answer.body as { uuid: string }).uuid, uuids[n % 6])
  }
})

test('what cannot be waited for is refused, and says what can be', async () => {
  const uuid = await api.row()
  for (const [query, words] of [
    ['wait=Runing', /'wait'.*'Runing'.*Creating, Created, Running/],
    ['wait=Running&timeout=51', /'timeout'.*'51'.*between 0 and 50/],
    ['wait=Running&timeout=soon', /'timeout'.*'soon'/],
  ] as const) {
    const answer = await api.ask(`GET /v1/containers/${uuid}?${query}`)
    assert.equal(answer.status, 400)
    assert.match(answer.title, words)
  }
  await api.machine.store.write((tx) => tx.containers.remove(uuid).then(() => undefined))
})

/** Waits by a connection of its own, once its place is taken, which is the only one there is. */
async function waiting(other: SpecApi, uuid: string, signal?: AbortSignal): Promise<{ answer: Promise<Response> }> {
  const begin = (): Promise<Response> =>
    fetch(`http://127.0.0.1:${other.machine.port}/v1/containers/${uuid}?wait=Stopped&timeout=50`, {
      headers: { 'x-auth-token': other.machine.token('alice') },
      ...(signal === undefined ? {} : { signal }),
    })
  // One that comes while it is tried whether the place is free finds it taken, and comes again.
  let answer = begin()
  await until('it waits', async () => {
    if ((await tried(other, uuid)) === 503) return true
    const refused = await Promise.race([answer, Promise.resolve(undefined)])
    if (refused !== undefined) answer = begin()
    return false
  })
  answer.catch(() => undefined)
  return { answer }
}

async function tried(other: SpecApi, uuid: string): Promise<number> {
  return (await other.ask(`GET /v1/containers/${uuid}?wait=Stopped&timeout=0`)).status
}

/** But for the refusals that were provoked. */
function assertNoErrors(other: SpecApi): void {
  const unforeseen = other.machine.errors.filter((error) => !inspect(error).includes('requests that wait open already'))
  assert.deepEqual(unforeseen, [])
}

test('those who wait are answered when the service stops', async () => {
  const other = await SpecApi.start({ overrides: { eventStreams: '4' } })
  const uuid = await other.row({ status: 'Running' })
  const { answer } = await waiting(other, uuid)
  await other.stop()
  const answered = await answer
  assert.deepEqual([answered.status, answered.headers.get('x-zund-wait')], [200, 'timeout'])
  assert.equal(((await answered.json()) as { status: string }).status, 'Running')
  assertNoErrors(other)
})

test('whoever hangs up gives his place back at once', async (t) => {
  const other = await SpecApi.start({ overrides: { eventStreams: '4' } })
  t.after(() => other.stop())
  const uuid = await other.row({ status: 'Running' })
  const phone = new AbortController()
  const { answer } = await waiting(other, uuid, phone.signal)
  phone.abort()
  await assert.rejects(answer)
  await until('the place is free', async () => (await tried(other, uuid)) === 200)
  assertNoErrors(other)
})
