/** admin-resources 5: networks on the engines of hosts. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { SpecApi, type Answer } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ quietHost: false })
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.clear()
  assert.deepEqual(api.machine.errors, [])
})

async function aNetwork(): Promise<string> {
  const answer = await api.ask('POST /v1/local/networks', { body: { name: 'lan' } })
  assert.equal(answer.status, 201, answer.text)
  return (answer.body as { uuid: string }).uuid
}

const make = async (body: unknown, minor = 40): Promise<Answer> =>
  await api.ask('POST /v1/networks', { as: 'admin', minor, body })
const remove = async (id: string, minor = 40): Promise<Answer> =>
  await api.ask(`DELETE /v1/networks/${id}`, { as: 'admin', minor })
const onEngine = (): readonly string[] =>
  api.machine.engine.world().networks.map((network) => network.split(':')[0] ?? '')

test('POST answers 200 with the network of the engine, in every version, and twice the same', async () => {
  const id = await aNetwork()
  const answers = []
  for (const minor of [1, 26, 40]) {
    const answer = await make({ name: 'anything', neutron_net_id: id }, minor)
    assert.equal(answer.status, 200, answer.text)
    answers.push(answer.body)
  }
  const [first, ...others] = answers as Record<string, unknown>[]
  assert.deepEqual(others, [first, first])
  assert.deepEqual(Object.keys(first ?? {}).toSorted(), [
    'name',
    'network_id',
    'neutron_net_id',
    'project_id',
    'user_id',
    'uuid',
  ])
  assert.deepEqual(
    [first?.['name'], first?.['neutron_net_id'], first?.['project_id']],
    [id, id, api.machine.projectId('ops')],
  )
  assert.match(String(first?.['uuid']), /^[0-9a-f-]{36}$/)
  assert.match(String(first?.['network_id']), /^[0-9a-f]{64}$/)
  assert.deepEqual(onEngine(), [id])
})

test('DELETE takes it off the engine: 204, and 404 when no host has it', async () => {
  const id = await aNetwork()
  const never = await remove(id)
  assert.deepEqual([never.status, never.code], [404, 'network-not-found'])
  await make({ name: 'lan', neutron_net_id: id })
  assert.equal((await remove(id.toUpperCase(), 27)).status, 204)
  assert.deepEqual(onEngine(), [])
  assert.equal((await remove(id)).status, 404)
  assert.equal((await api.ask(`GET /v1/local/networks/${id}`)).status, 200, 'the network itself stays')
})

test('DELETE exists from 1.27 on, and there is no GET', async () => {
  const id = await aNetwork()
  assert.equal((await remove(id, 26)).status, 406)
  for (const line of ['GET /v1/networks', `GET /v1/networks/${id}`]) {
    assert.equal((await api.ask(line, { as: 'admin' })).status, 405, line)
  }
})

test('a network that containers are on stays, and one that was taken down is made anew by the next container', async () => {
  const id = await aNetwork()
  const box = await api.made({ nets: [{ network: id }] })
  await api.machine.settled()
  const answer = await remove(id)
  assert.deepEqual([answer.status, answer.code], [409, 'conflict'])
  await api.machine.clearContainers()
  assert.equal((await remove(id)).status, 204, 'a container had it made')
  const next = await api.made({ nets: [{ network: id }] })
  await api.machine.settled()
  assert.deepEqual(onEngine(), [id])
  const shown = (await api.ask(`GET /v1/containers/${next.uuid}`)).body as { status: string }
  assert.equal(shown.status, 'Created')
  assert.notEqual(box.uuid, next.uuid)
})

test('what is missing, unknown or of the wrong form is refused with its name', async () => {
  const id = await aNetwork()
  for (const [body, status, text] of [
    [{ name: 'lan' }, 400, 'neutron_net_id'],
    [{ name: 'lan', neutron_net_id: null }, 400, 'neutron_net_id'],
    [{ neutron_net_id: id }, 400, 'name'],
    [{ name: 'l', neutron_net_id: id }, 400, 'name'],
    [{ name: 'lan', neutron_net_id: 'x'.repeat(256) }, 400, 'neutron_net_id'],
    [{ name: 'lan', neutron_net_id: 7 }, 400, 'neutron_net_id'],
    [{ name: 'lan', neutron_net_id: id, host: 'sim-host' }, 400, 'host'],
    [{ name: 'lan', neutron_net_id: 'lan' }, 404, 'lan'],
    [{ name: 'lan', neutron_net_id: '0e7a2f5c-6bfd-4b63-8c46-0123456789ab' }, 404, '0e7a2f5c'],
    [[], 400, 'JSON object'],
    ['no json', 400, 'JSON'],
  ] as const) {
    const answer = await make(body)
    assert.equal(answer.status, status, answer.text)
    assert.ok(answer.title.includes(text), answer.title)
  }
  const form = await api.ask('POST /v1/networks', {
    as: 'admin',
    body: 'name=lan',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  assert.equal(form.status, 415)
  assert.equal((await remove('lan')).status, 404)
  assert.equal((await make({ name: null, neutron_net_id: id })).status, 200, 'a null name is a name')
})
