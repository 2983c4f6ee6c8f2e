/** api-conventions 9: finding an object by uuid or name, in every spelling a path may have. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
let uuid: string
let bobs: string
before(async () => {
  api = await SpecApi.start()
  uuid = await api.row({ name: 'box', status: 'Stopped' })
  bobs = await api.row({ name: 'bobs', status: 'Stopped', projectId: api.machine.projectId('blue') })
  await api.row({ name: 'twin', status: 'Stopped' })
  await api.row({ name: 'twin', status: 'Stopped' })
  // One in each of two projects: only an admin sees both.
  await api.row({ name: 'shared', status: 'Stopped' })
  await api.row({ name: 'shared', status: 'Stopped', projectId: api.machine.projectId('blue') })
  await api.row({ name: 'capsule', kind: 1 })
})
after(() => api.stop())

test('a uuid is found in every spelling, a name in its own', async () => {
  const bare = uuid.replaceAll('-', '')
  const found = [uuid, uuid.toUpperCase(), bare, bare.toUpperCase(), `%7B${uuid}%7D`, 'box', '%62ox']
  for (const ident of found) {
    const { status, body } = await api.ask(`GET /v1/containers/${ident}`)
    assert.deepEqual([status, (body as { uuid?: string }).uuid], [200, uuid], ident)
  }
  const other = `${uuid.slice(0, -1)}${uuid.endsWith('0') ? '1' : '0'}`
  for (const ident of ['BOX', 'bo', 'box%20', 'capsule', uuid.slice(1), other, '%00', 'none']) {
    const { status, code, title } = await api.ask(`GET /v1/containers/${ident}`)
    assert.deepEqual([status, code], [404, 'container-not-found'], ident)
    assert.match(title, /^Container .* could not be found\.$/)
  }
})

test('what looks like a uuid is never taken for a name', async () => {
  const name = '0e7a2f5c6bfd4b638c460123456789ab'
  const named = await api.row({ name, status: 'Stopped' })
  for (const ident of [name, name.toUpperCase(), `%7B${name}%7D`]) {
    assert.equal((await api.ask(`GET /v1/containers/${ident}`)).status, 404, ident)
  }
  assert.equal((await api.ask(`GET /v1/containers/${named}`)).status, 200)
})

test('a path is read kindly, and nothing is redirected', async () => {
  const kind = [
    `/v1/containers/${uuid}`,
    `/v1/containers/${uuid}/`,
    `/v1/containers//${uuid}`,
    `//v1//containers/${uuid}`,
    `/v1/containers/${uuid}.json`,
    `/containers/${uuid}`,
    `/container/v1/containers/${uuid}`,
    `/container/containers/${uuid}`,
  ]
  for (const path of kind) assert.equal((await api.ask(`GET ${path}`)).status, 200, path)
  for (const path of [`/v1/containers/${uuid}/start`, `/v1/containers//${uuid}/start`, `/containers/${uuid}/start`]) {
    const row = await api.row({ status: 'Stopped' })
    assert.equal((await api.ask(`POST ${path.replace(uuid, row)}`)).status, 202, path)
  }
})

/** Every route of one container, with what else it needs. */
const CALLS: readonly (readonly [line: string, body?: object | undefined, minor?: number])[] = [
  ['GET /v1/containers/{}'],
  ['PATCH /v1/containers/{}', { name: 'renamed' }],
  ['DELETE /v1/containers/{}'],
  ['POST /v1/containers/{}/start'],
  ['POST /v1/containers/{}/stop'],
  ['POST /v1/containers/{}/reboot'],
  ['POST /v1/containers/{}/pause'],
  ['POST /v1/containers/{}/unpause'],
  ['POST /v1/containers/{}/kill'],
  ['POST /v1/containers/{}/rebuild'],
  ['GET /v1/containers/{}/logs'],
  ['POST /v1/containers/{}/execute', { command: 'ls' }],
  [`POST /v1/containers/{}/execute_resize?exec_id=${'ab'.repeat(32)}&h=1&w=1`],
  ['GET /v1/containers/{}/attach'],
  ['POST /v1/containers/{}/resize?h=1&w=1'],
  ['POST /v1/containers/{}/resize_container', { memory: 64 }],
  ['GET /v1/containers/{}/top'],
  ['GET /v1/containers/{}/stats'],
  ['GET /v1/containers/{}/get_archive?path=/x'],
  ['POST /v1/containers/{}/put_archive?path=/x', { data: '' }],
  ['POST /v1/containers/{}/commit?repository=snap'],
  ['POST /v1/containers/{}/rename?name=renamed', undefined, 13],
  ['POST /v1/containers/{}/add_security_group?name=default', undefined, 14],
  ['POST /v1/containers/{}/remove_security_group?name=default', undefined, 14],
  ['POST /v1/containers/{}/network_attach'],
  ['POST /v1/containers/{}/network_detach?network=n'],
  ['GET /v1/containers/{}/network_list'],
  ['GET /v1/containers/{}/container_actions'],
  ['GET /v1/containers/{}/container_actions/req-x'],
]

test('the table above has every route of one container', () => {
  const known = CALLS.map(([line]) => line.replace(/\?.*/, '').replace('{}', ':ident').replace('req-x', ':request'))
  const routes = api.machine.routes.filter(({ path }) => path.startsWith('/v1/containers/:ident'))
  const all = routes.map(({ method, path }) => `${method} ${path}`).filter((line) => !line.startsWith('PUT'))
  assert.deepEqual(all.toSorted(), known.toSorted())
})

test('on every route: of nobody and of another project are the same 404, two of a name a 409', async () => {
  for (const [line, body, minor] of CALLS) {
    for (const ident of ['none', 'bobs', bobs]) {
      const answer = await api.ask(line.replace('{}', ident), { body, minor: minor ?? 40 })
      assert.deepEqual([answer.status, answer.code], [404, 'container-not-found'], `${line} ${ident}`)
      assert.equal(answer.title, `Container ${ident} could not be found.`)
    }
    const twins = await api.ask(line.replace('{}', 'twin'), { body, minor: minor ?? 40 })
    assert.deepEqual([twins.status, twins.code], [409, 'conflict'], line)
    assert.match(twins.title, /Multiple containers exist with name 'twin'.*uuid/)
  }
})

test('capsules are found like containers, and neither among the other', async () => {
  const pod = await api.row({ name: 'pod', kind: 1 })
  const theirs = await api.row({ name: 'bobs-pod', kind: 1, projectId: api.machine.projectId('blue') })
  await api.row({ name: 'twin-pod', kind: 1 })
  await api.row({ name: 'twin-pod', kind: 1 })
  const member = await api.row({ name: 'member', kind: 2, capsuleUuid: pod })
  const bare = pod.replaceAll('-', '')
  for (const ident of [pod, pod.toUpperCase(), bare, `%7B${pod}%7D`, 'pod', '%70od', `/${pod}/`, `${pod}.json`]) {
    const { status, body } = await api.ask(`GET /v1/capsules/${ident}`)
    assert.deepEqual([status, (body as { uuid?: string }).uuid], [200, pod], ident)
  }
  for (const method of ['GET', 'DELETE']) {
    for (const ident of ['none', 'POD', 'bobs-pod', theirs, 'box', uuid, 'member', member]) {
      const { status, code, title } = await api.ask(`${method} /v1/capsules/${ident}`)
      assert.deepEqual([status, code], [404, 'container-not-found'], ident)
      assert.equal(title, `Container ${ident} could not be found.`)
    }
    const twins = await api.ask(`${method} /v1/capsules/twin-pod`)
    assert.deepEqual([twins.status, twins.code], [409, 'conflict'])
    assert.match(twins.title, /Multiple capsules exist with name 'twin-pod'.*uuid/)
  }
  for (const ident of [pod, 'pod', member, 'member']) {
    assert.equal((await api.ask(`GET /v1/containers/${ident}`)).status, 404, ident)
    assert.equal((await api.ask(`GET /v1/containers/${ident}`, { as: 'admin' })).status, 404, ident)
  }
  assert.equal((await api.ask('GET /v1/capsules/bobs-pod', { as: 'admin' })).status, 200)
})

test('an admin finds those of all projects without asking for it', async () => {
  for (const ident of ['box', uuid, 'bobs', bobs]) {
    assert.equal((await api.ask(`GET /v1/containers/${ident}`, { as: 'admin' })).status, 200, ident)
  }
  assert.equal((await api.ask('GET /v1/containers/shared')).status, 200)
  assert.equal((await api.ask('GET /v1/containers/shared', { as: 'admin' })).status, 409)
  const answer = await api.ask(`GET /v1/containers/${bobs}?all_projects=True`, { as: 'admin' })
  assert.equal(answer.status, 200)
})

test('without a project one lists what is one’s own as a user; the rules of owners still speak of projects', async () => {
  const eve = await api.machine.identity.ensureUser('eve', 'secret of eve')
  const mine = await api.row({ name: 'eves', userId: eve.id })
  const { body } = await api.ask('GET /v1/containers', { as: 'eve' })
  assert.deepEqual(
    (body as { containers: { uuid: string }[] }).containers.map((container) => container.uuid),
    [mine],
  )
  const shown = await api.ask(`GET /v1/containers/${mine}`, { as: 'eve' })
  assert.deepEqual([shown.status, shown.code], [403, 'policy-not-authorized'])
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`, { as: 'eve' })).status, 404)
})
