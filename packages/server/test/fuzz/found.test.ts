/** What was wrong once, by name. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { closeAll } from '../support/close-all.ts'
import { SimMachine } from '../support/sim-machine.ts'
import { answersIn, requestText, talk } from './support/raw.ts'

let machine: SimMachine
before(async () => {
  machine = await SimMachine.start({ requestTimeoutMs: 1_000 })
})
after(() =>
  closeAll(
    async () => assert.deepEqual(await machine.leftovers(), []),
    () => machine.stop(),
  ),
)

interface Refusal {
  readonly status: number
  readonly title: string
}

async function post(url: string, text: string | Buffer): Promise<Refusal> {
  const headers = { 'x-auth-token': machine.token('alice'), 'content-type': 'application/json' }
  const answer = await machine.app.inject({ method: 'POST', url, headers, payload: text })
  assert.match(String(answer.headers['x-openstack-request-id']), /^req-/)
  const { errors, error } = JSON.parse(answer.body) as { errors?: Refusal[]; error?: { message: string } }
  return { status: answer.statusCode, title: errors?.[0]?.title ?? error?.message ?? '' }
}

test('a value nested without end is a 400, not a full stack', async () => {
  for (const depth of [65, 5_000, 100_000]) {
    const { status, title } = await post('/v1/containers', `{"image":${'['.repeat(depth)}${']'.repeat(depth)}}`)
    assert.deepEqual([status, title], [400, 'The body is nested more than 64 levels deep.'])
  }
})

test('a name of an environment or a label cannot be __proto__, which would vanish', async () => {
  for (const field of ['environment', 'labels']) {
    const { status, title } = await post('/v1/containers', `{"image":"busybox","${field}":{"__proto__":"x"}}`)
    assert.equal(status, 400)
    assert.match(title, /'__proto__'/)
  }
})

test('text that could not be given back as it came is refused', async () => {
  const bytes = Buffer.concat([
    Buffer.from('{"image":"busybox","labels":{"a":"'),
    Buffer.from([0xff]),
    Buffer.from('"}}'),
  ])
  assert.deepEqual(await post('/v1/containers', bytes), { status: 400, title: 'The body is not valid UTF-8.' })
  const { status, title } = await post('/v1/containers', '{"image":"busybox","labels":{"a":"\\ud800"}}')
  assert.equal(status, 400)
  assert.match(title, /surrogate/)
})

test('an error stays short and printable, however many and long the names are that it quotes', async () => {
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`${n}${'x'.repeat(100)}`, n]))
  const body = await post('/v1/containers', JSON.stringify(many))
  assert.match(body.title, /and 4990 more were unexpected/)
  assert.ok(body.title.length < 2_000)
  const query = await post(
    `/v1/local/volumes?${new URLSearchParams({ [`${'x'.repeat(63)}💥`]: '1' }).toString()}`,
    '{}',
  )
  assert.ok(query.title.isWellFormed())
})

test('a login method that is no text is a 400', async () => {
  for (const method of ['{"toString":1}', '{}', 'null', '[["password"]]']) {
    const { status, title } = await post('/identity/v3/auth/tokens', `{"auth":{"identity":{"methods":[${method}]}}}`)
    assert.equal(status, 400)
    assert.match(title, /is not offered/)
  }
})

test('a path that cannot be decoded is refused in the API’s form', async () => {
  for (const url of ['/v1/containers/%zz', '/%', '/identity/v3/projects/%e0%a4', '/v1/containers/%ff/start']) {
    const { status, title } = await post(url, '')
    assert.equal(status, 400, url)
    assert.notEqual(title, '')
  }
})

test('what cannot be a request is answered in the API’s form, after those before it', async () => {
  const good = requestText('GET', '/', {}, undefined)
  const text = await talk(machine.port, [Buffer.concat([good, Buffer.from('\0\0\0\0')])], () => false)
  const [first, second] = answersIn(text, [])
  assert.deepEqual([first?.status, second?.status], [200, 400])
  assert.match(second?.text ?? '', /not well-formed HTTP/)
})

test('a host that does not answer within the time of a request is a 503', async () => {
  const { body } = await machine.ask('alice', 'POST', '/v1/containers?run=true', {
    image: 'busybox',
    command: ['serve'],
    memory: 64,
  })
  const { uuid } = JSON.parse(body) as { uuid: string }
  await machine.settled()
  const mend = machine.engine.calls.faults.add({ call: 'logs', trouble: { kind: 'hang' } })
  const answer = await machine.ask('alice', 'GET', `/v1/containers/${uuid}/logs`)
  assert.equal(answer.statusCode, 503)
  mend()
  await machine.clear()
})

test('the root document is not posted to', async () => {
  assert.equal((await post('/', '{}')).status, 405)
})

test('with a container go the tickets for its terminals', async () => {
  const body = { image: 'busybox', command: ['serve'], interactive: true, memory: 64 }
  const made = await machine.ask('alice', 'POST', '/v1/containers?run=true', body)
  const { uuid } = JSON.parse(made.body) as { uuid: string }
  await machine.settled()
  assert.equal((await machine.ask('alice', 'GET', `/v1/containers/${uuid}/attach`)).statusCode, 200)
  assert.equal((await machine.rows())['stream_ticket'], 1)
  await machine.clear()
  assert.deepEqual(await machine.leftovers(), [])
})
