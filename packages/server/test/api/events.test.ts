/** GET /v1/events (docs/api/events.md). */
import assert from 'node:assert/strict'
import { connect as dial, type Socket } from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import type { StreamedEvent } from '@zund/contract/api/events.ts'
import { SpecApi, type Request } from '../support/spec-api.ts'
import { HOST, type User } from '../support/sim-machine.ts'
import { EventStream } from '../support/event-stream.ts'
import { until } from '../support/until.ts'

let api: SpecApi
const open: EventStream[] = []
before(async () => {
  api = await SpecApi.start({ quietHost: false, overrides: { eventStreams: '1200' }, streams: { stallMs: 500 } })
})
after(() => api.stop())
afterEach(async () => {
  for (const stream of open.splice(0)) stream.close()
  await api.machine.clearContainers()
  assert.deepEqual(api.machine.errors, [])
})

async function listen(query = '', { as = 'alice', headers = {} }: Request = {}): Promise<EventStream> {
  const stream = await EventStream.open(`http://127.0.0.1:${api.machine.port}/v1/events${query}`, {
    'x-auth-token': api.machine.token(as),
    'openstack-api-version': 'container 1.40',
    ...headers,
  })
  open.push(stream)
  return stream
}

async function ready(query = '', request: Request = {}): Promise<EventStream> {
  const stream = await listen(query, request)
  assert.equal((await stream.next())?.type, 'ready')
  return stream
}

async function run(as: User = 'alice'): Promise<string> {
  const answer = await api.ask('POST /v1/containers?run=true', { as, body: { image: 'busybox', command: ['serve'] } })
  assert.equal(answer.status, 202, answer.text)
  return (answer.body as { uuid: string }).uuid
}

const brief = (event: StreamedEvent): string => {
  switch (event.type) {
    case 'ready':
      return 'ready'
    case 'reset':
      return `reset ${event.reason}`
    case 'container.status_changed':
    case 'capsule.status_changed':
      return `${event.previous_status} → ${event.status}`
    case 'action.step':
      return `${event.action}: ${event.step} ${event.state}`
    case 'action.finished':
      return `${event.action} ${event.state}`
    case 'action.started':
      return `${event.action} started`
    default:
      return event.type
  }
}

const isDone =
  (action: string) =>
  (event: StreamedEvent): boolean =>
    event.type === 'action.finished' && event.action === action

test('the life of a container is told in its order, each change once', async () => {
  const stream = await ready()
  const uuid = await run()
  const made = await stream.until((event) => event.type === 'container.status_changed' && event.status === 'Running')
  assert.deepEqual(made.filter(({ type }) => type !== 'action.step' && type !== 'action.progress').map(brief), [
    'container.created',
    'create started',
    'create succeeded',
    'Creating → Running',
  ])
  const steps = made.filter(({ type }) => type === 'action.step').map(brief)
  assert.ok(
    steps.includes('create: startContainer started') && steps.includes('create: startContainer finished'),
    steps.join(),
  )
  const pulls = made.filter((event) => event.type === 'action.progress')
  assert.deepEqual(pulls[0]?.pull, {
    image: 'busybox',
    layers: { current: 0, total: 2 },
    bytes: { current: 0, total: 2_097_152 },
  })
  assert.deepEqual(new Set(made.map((event) => 'uuid' in event && event.uuid)), new Set([uuid]))
  const asked = await api.ask(`DELETE /v1/containers/${uuid}?stop=true`)
  const gone = await stream.until(({ type }) => type === 'container.deleted')
  assert.deepEqual(gone.filter(({ type }) => type !== 'action.step').map(brief), [
    'Running → Deleting',
    'delete started',
    'delete succeeded',
    'container.deleted',
  ])
  const [end] = gone.filter((event) => event.type === 'action.finished')
  assert.equal(end?.request_id, asked.headers['x-openstack-request-id'])
  const ids = [...made, ...gone].map(({ id }) => Number(id))
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  )
  assert.equal(new Set(ids).size, ids.length)
})

test('what failed says why', async () => {
  const stream = await ready('?type=action.finished,container.status_changed')
  const answer = await api.ask('POST /v1/containers?run=true', {
    body: { image: 'busybox', command: ['no-such-program'] },
  })
  assert.equal(answer.status, 202)
  const [end, status] = await stream.until(({ type }) => type === 'container.status_changed')
  assert.ok(end?.type === 'action.finished' && end.state === 'failed')
  assert.ok(status?.type === 'container.status_changed' && status.status === 'Error')
  assert.match(end.error_message ?? '', /no-such-program/)
  assert.equal(status.status_reason, end.error_message)
})

test('a stream that is taken up again goes on behind the last event, also when nobody listened meanwhile', async () => {
  const first = await ready()
  const uuid = await run()
  const heard = await first.until((event) => event.type === 'action.started')
  first.close()
  await api.machine.settled()
  const second = await ready('', { headers: { 'last-event-id': first.lastEventId } })
  const rest = await second.until(isDone('create'))
  const whole = await (await ready(`?last_event_id=0&uuid=${uuid}`)).until(isDone('create'))
  assert.deepEqual(
    [...heard, ...rest].map(({ id }) => id),
    whole.map(({ id }) => id),
  )
  // The header is of the browser that comes back; the query of its first request.
  const third = await ready('?last_event_id=0', { headers: { 'last-event-id': second.lastEventId } })
  const more = await api.ask(`POST /v1/containers/${uuid}/stop`)
  assert.equal(more.status, 202)
  assert.equal(
    brief((await third.until(({ type }) => type === 'action.started'))[0] ?? { id: '', type: 'ready' }),
    'Creating → Running',
  )
})

test('what there is can be had without waiting', async () => {
  await run()
  await api.machine.settled()
  const all = await (await listen('?last_event_id=0&timeout=0')).rest()
  assert.equal(all[0]?.type, 'ready')
  assert.ok(all.some(isDone('create')))
})

test('others hear nothing; admins hear all when they ask for it', async () => {
  const uuid = await run()
  await api.machine.settled()
  const from = async (as: User, query: string): Promise<number> =>
    (await (await listen(`?last_event_id=0&timeout=0${query}`, { as })).rest()).filter(
      (event) => 'uuid' in event && event.uuid === uuid,
    ).length
  const own = await from('alice', '')
  assert.ok(own > 5)
  assert.equal(await from('bob', ''), 0)
  assert.equal(await from('bob', `&uuid=${uuid}`), 0)
  assert.equal(await from('eve', ''), 0)
  assert.equal(await from('admin', ''), 0)
  assert.equal(await from('admin', '&all_projects=true'), own)
  assert.equal((await api.ask('GET /v1/events?timeout=0&all_projects=true')).status, 403)
})

test('a capsule is heard with its members, and its end with theirs', async () => {
  const template = { spec: { containers: [{ image: 'busybox', command: ['serve'] }] }, kind: 'capsule', metadata: {} }
  const answer = await api.ask('POST /v1/capsules', { body: { template } })
  assert.equal(answer.status, 202, answer.text)
  const { uuid } = answer.body as { uuid: string }
  const stream = await ready(
    `?last_event_id=0&uuid=${uuid}&type=container.created,capsule.created,capsule.deleted,container.deleted`,
  )
  assert.deepEqual((await stream.until(({ type }) => type === 'container.created')).map(brief), [
    'capsule.created',
    'container.created',
  ])
  assert.equal((await api.ask(`DELETE /v1/capsules/${uuid}`)).status, 204)
  const [member, capsule] = await stream.until(({ type }) => type === 'capsule.deleted')
  assert.ok(member?.type === 'container.deleted' && member.capsule_uuid === uuid)
  assert.ok(capsule?.type === 'capsule.deleted' && capsule.uuid === uuid)
})

test('an image that is pulled for itself is heard by who may list images: its progress, its end, its deletion', async () => {
  const [admin, member] = [await ready('', { as: 'admin' }), await ready('?all_projects=false')]
  const pull = async (repo: string): Promise<string> => {
    const { status, body, text } = await api.ask('POST /v1/images', { as: 'admin', body: { repo, host: HOST } })
    assert.equal(status, 202, text)
    return (body as { uuid: string }).uuid
  }
  api.machine.engine.images.publish('docker.io/library/busybox:latest')
  const uuid = await pull('busybox')
  const heard = await admin.until(({ type }) => type === 'image.stored')
  const progress = heard.find((event) => event.type === 'image.progress')
  assert.ok(progress?.type === 'image.progress')
  assert.equal(progress.pull.image, 'busybox:latest')
  assert.deepEqual(progress.pull.layers, { current: 0, total: 2 })
  const [created, stored] = [heard[0], heard.at(-1)]
  assert.ok(created?.type === 'image.created' && stored?.type === 'image.stored')
  assert.deepEqual([created.uuid, created.kind, created.name], [uuid, 'image', 'busybox:latest'])
  const { body } = await api.ask(`GET /v1/images/${uuid}`, { as: 'admin' })
  const shown = body as { image_id: string; size: string }
  assert.deepEqual([stored.image_id, String(stored.size)], [shown.image_id, shown.size])

  const lost = await pull('no/such')
  const failed = (await admin.until(({ type }) => type === 'image.failed')).at(-1)
  assert.ok(failed?.type === 'image.failed')
  assert.equal(failed.uuid, lost)
  assert.match(failed.error_message, /no\/such.* was not found/)

  for (const one of [uuid, lost]) await api.ask(`DELETE /v1/images/${one}`, { as: 'admin' })
  const gone = [
    await admin.until(({ type }) => type === 'image.deleted'),
    await admin.until(({ type }) => type === 'image.deleted'),
  ]
  assert.deepEqual(gone.map((events) => (events.at(-1) as { uuid: string }).uuid).toSorted(), [uuid, lost].toSorted())

  // Images are an administrator's affair, even those of the own project.
  const other = await run('admin')
  const all = await ready('?all_projects=true&last_event_id=0', { as: 'admin' })
  assert.ok(
    (await all.until((event) => 'uuid' in event && event.uuid === other)).some(({ type }) => type === 'image.stored'),
  )
  await run()
  const told = await member.until((event) => event.type === 'container.created')
  assert.deepEqual(
    told.map(({ type }) => type),
    ['container.created'],
  )
})

test('a place that is not kept any more, or never was, is told, and reading goes on', async () => {
  const uuid = await run()
  await api.machine.settled()
  await api.machine.store.write((tx) => tx.events.purge({ ageMs: 3_600_000, count: 1 }, 10_000))
  for (const [place, reason] of [
    ['0', 'expired'],
    ['999999999999', 'unknown'],
  ] as const) {
    const stream = await listen(`?last_event_id=${place}`)
    assert.equal(brief((await stream.next()) ?? { id: '', type: 'ready' }), `reset ${reason}`)
    assert.equal((await api.ask(`POST /v1/containers/${uuid}/${reason === 'expired' ? 'stop' : 'start'}`)).status, 202)
    await stream.until((event) => event.type === 'action.finished')
    stream.close()
  }
})

test('many listen at once, and each hears all of it', async () => {
  const users = ['alice', 'admin', 'bob', 'eve'] as const
  const streams = await Promise.all(
    Array.from({ length: 240 }, async (_, n) => {
      const as = users[n % 4] ?? 'alice'
      return { as, stream: await ready(as === 'admin' ? '?all_projects=true' : '', { as }) }
    }),
  )
  await Promise.all([run(), run('bob'), run()])
  const heard = await Promise.all(
    streams.map(async ({ as, stream }) => {
      const wanted = { alice: 2, admin: 3, bob: 1, eve: 0 }[as]
      let created = 0
      const ids: string[] = []
      for (let done = 0; done < wanted; ) {
        const event = await stream.next()
        assert.ok(event)
        ids.push(event.id)
        if (event.type === 'container.created') created += 1
        if (isDone('create')(event)) done += 1
      }
      assert.equal(created, wanted)
      return { as, ids: ids.join() }
    }),
  )
  for (const as of users) assert.equal(new Set(heard.filter((one) => one.as === as).map(({ ids }) => ids)).size, 1, as)
})

test('whoever takes nothing is cut off, and the others hear on', async () => {
  // What it would read is more than the sockets hold between them.
  const uuid = await api.row({ statusReason: 'r'.repeat(60_000), status: 'Error', host: null })
  await api.machine.store.write(async (tx) => {
    for (let n = 0; n < 400; n += 1) {
      await tx.containers.update(uuid, { status: n % 2 === 0 ? 'Stopped' : 'Error' })
    }
  })
  const accepted = new Promise<Socket>((resolve) => api.machine.app.server.once('connection', resolve))
  const socket = dial(api.machine.port, '127.0.0.1')
  socket.on('error', () => undefined).pause()
  const held = await accepted
  const head = [
    'GET /v1/events?last_event_id=0 HTTP/1.1',
    'Host: x',
    `X-Auth-Token: ${api.machine.token('alice')}`,
    'OpenStack-API-Version: container 1.40',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const other = await ready()
  await run()
  await other.until(isDone('create'))
  await until('it is cut off', async () => held.destroyed)
  socket.destroy()
})

test('a reader who is behind all that is in memory catches up, and misses nothing', async () => {
  const stream = await ready('?type=container.status_changed')
  const uuid = await api.row({ status: 'Error', host: null })
  const write = async (): Promise<void> =>
    await api.machine.store.write(async (tx) => {
      for (let n = 0; n < 1_500; n += 1) {
        await tx.containers.update(uuid, { status: n % 2 === 0 ? 'Stopped' : 'Error' })
      }
    })
  await write()
  await write()
  await write()
  const ids: number[] = []
  while (ids.length < 4_500) ids.push(Number((await stream.next())?.id))
  assert.ok(ids.every((id, n) => n === 0 || id === (ids[n - 1] ?? 0) + 1))
})

test('no more streams than are allowed, of one user a quarter of them, and a place that is left is free', async () => {
  const small = await SpecApi.start({ quietHost: false, overrides: { eventStreams: '8' } })
  try {
    const url = `http://127.0.0.1:${small.machine.port}/v1/events`
    const headers = (as: User) => ({ 'x-auth-token': small.machine.token(as) })
    const streams: EventStream[] = []
    for (const as of ['alice', 'bob', 'admin', 'eve'] as const) {
      for (let n = 0; n < 2; n += 1) streams.push(await EventStream.open(url, headers(as)))
      const more = await small.ask('GET /v1/events', { as })
      assert.equal(more.status, 503)
      assert.match(more.title, as === 'eve' ? /There are 8 streams/ : /You have 2 streams/)
    }
    streams[0]?.close()
    await until('there is a place', async () => (await small.ask('GET /v1/events?timeout=0')).status === 200)
    for (const stream of streams) stream.close()
  } finally {
    await small.stop()
  }
})

test('a stream ends with the service, and with the token', async () => {
  const short = await SpecApi.start({ quietHost: false, streams: { checkMs: 20 } })
  const url = `http://127.0.0.1:${short.machine.port}/v1/events`
  const user = await short.machine.identity.ensureUser('zoe', 'secret')
  const { token } = await short.machine.identity.issue(user, null, [])
  const withToken = await EventStream.open(url, { 'x-auth-token': token })
  const other = await EventStream.open(url, { 'x-auth-token': short.machine.token('alice') })
  assert.equal(brief((await withToken.next()) ?? { id: '', type: 'ready' }), 'ready')
  await short.machine.identity.revoke(token)
  assert.deepEqual(await withToken.rest(), [])
  assert.equal(brief((await other.next()) ?? { id: '', type: 'ready' }), 'ready')
  const rest = other.rest()
  await short.stop()
  assert.deepEqual(await rest, [])
  assert.deepEqual(short.machine.errors, [])
})

test('what cannot be asked is refused, and says why', async () => {
  for (const [query, words] of [
    ['?last_event_id=x', /'last_event_id'.*1 to 15 digits/],
    ['?uuid=web', /'uuid'.*'web'.*not a uuid/],
    [`?uuid=${Array.from({ length: 101 }, () => '00000000-0000-0000-0000-000000000000').join()}`, /more than 100/],
    ['?type=container.moved', /'type'.*container\.moved.*container\.created/],
    ['?timeout=86401', /between 0 and 86400/],
    ['?colour=red', /Unknown parameters: colour/],
  ] as const) {
    const answer = await api.ask(`GET /v1/events${query}`)
    assert.equal(answer.status, 400, query)
    assert.match(answer.title, words)
  }
  const header = await api.ask('GET /v1/events', { headers: { 'last-event-id': 'x y' } })
  assert.equal(header.status, 400)
  assert.match(header.title, /header 'last-event-id'/)
  const image = await api.ask('GET /v1/events', { headers: { accept: 'image/png' } })
  assert.equal(image.status, 406)
})
