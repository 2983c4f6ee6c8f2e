/** policy.md 1 to 3: who counts as an admin, what a rule can say of callers, and what its target is for which request. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOST, type User } from '../support/sim-machine.ts'
import { SpecApi } from '../support/spec-api.ts'

test('who is an admin is said by context_is_admin alone, and goes for look-ups, lists and what is hidden', async (t) => {
  const api = await SpecApi.start({
    policy: JSON.stringify({
      context_is_admin: 'role:member',
      // No default refers to these two.
      admin_or_owner: '!',
      admin_api: '!',
      deny_everybody: '!',
    }),
  })
  t.after(() => api.stop())
  const theirs = await api.row({ name: 'theirs', projectId: api.machine.projectId('blue') })
  const shown = await api.ask(`GET /v1/containers/${theirs}`)
  assert.equal(shown.status, 200)
  assert.ok(Object.hasOwn(shown.body as object, 'host'))
  for (const [line, as, status] of [
    ['GET /v1/containers/theirs', 'alice', 200],
    ['GET /v1/containers?all_projects=1', 'alice', 200],
    ['GET /v1/hosts', 'alice', 200],
    ['GET /v1/containers/theirs', 'admin', 404],
    ['GET /v1/containers?all_projects=1', 'admin', 403],
    ['GET /v1/hosts', 'admin', 403],
    ['GET /v1/containers', 'admin', 200],
  ] as const) {
    assert.equal((await api.ask(line, { as })).status, status, `${line} by ${as}`)
  }
})

test('context_is_admin is asked with nothing to act on', async (t) => {
  const api = await SpecApi.start({ policy: JSON.stringify({ context_is_admin: 'project_id:%(project_id)s' }) })
  t.after(() => api.stop())
  await api.row({ name: 'theirs', projectId: api.machine.projectId('blue') })
  // Nobody is an admin; a rule that refers to it is asked with the caller's own project, as any other is.
  for (const [line, status] of [
    ['GET /v1/containers/theirs', 404],
    ['GET /v1/hosts', 200],
  ] as const) {
    for (const as of ['alice', 'admin'] as const) assert.equal((await api.ask(line, { as })).status, status, line)
  }
})

/** A check, and who of a member of project red and the admin passes it. */
const CALLERS: readonly (readonly [check: string, passes: readonly User[]])[] = [
  ['user_domain_id:default', ['alice', 'admin']],
  ['user_domain:default', ['alice', 'admin']],
  ['project_domain_id:default', ['alice', 'admin']],
  ['project_domain:default', ['alice', 'admin']],
  ['roles:member', ['alice']],
  ['role:MEMBER', ['alice']],
  ['is_admin:True', ['admin']],
  ['is_admin:False', ['alice']],
  ['is_admin:true', []],
  ['is_admin_project:True', ['alice', 'admin']],
  ['system_scope:None', ['alice', 'admin']],
  ['domain_id:None', ['alice', 'admin']],
  ['service_user_id:None', ['alice', 'admin']],
  ['service_project_id:None', ['alice', 'admin']],
  ['service_user_domain_id:None and service_project_domain_id:None', ['alice', 'admin']],
  ['service_roles:admin', []],
  ['user_id:%(user_id)s', ['alice', 'admin']],
  ['user:%(user_id)s', ['alice', 'admin']],
  ['tenant:%(project_id)s', ['alice', 'admin']],
  ['token:%(project_id)s', []],
]

/** Each is the rule of one field, so that a single answer says how all of them come out. */
const FIELDS = (
  'name status status_reason task_state image command cpu memory environment labels workdir ports ' +
  'hostname addresses restart_policy status_detail interactive tty disk auto_remove auto_heal ' +
  'healthcheck'
).split(' ')

test('a rule can name all that is known of a caller, by new and by old names', async (t) => {
  const policy = Object.fromEntries(CALLERS.map(([check], i) => [`container:get_one:${FIELDS[i] ?? ''}`, check]))
  const api = await SpecApi.start({ policy: JSON.stringify(policy) })
  t.after(() => api.stop())
  const uuid = await api.row({})
  for (const as of ['alice', 'admin'] as const) {
    const { body } = await api.ask(`GET /v1/containers/${uuid}`, { as })
    for (const [i, [check, passes]] of CALLERS.entries()) {
      assert.equal(Object.hasOwn(body as object, FIELDS[i] ?? ''), passes.includes(as), `${check} by ${as}`)
    }
  }
})

test('the target is the object where there is one, the project of a quota, and else the caller’s own project', async (t) => {
  const own = 'project_id:%(project_id)s'
  const rules = (
    'container:get_one container:stop container:update capsule:get capsule:delete registry:get_one ' +
    'registry:update registry:delete image:get_one image:delete quota:get quota:get_default quota:update ' +
    'quota:delete quota_class:get zun-service:disable host:get network:delete'
  ).split(' ')
  const api = await SpecApi.start({ policy: JSON.stringify(Object.fromEntries(rules.map((rule) => [rule, own]))) })
  t.after(() => api.stop())
  const box = await api.row({ status: 'Running' })
  const pod = await api.row({ name: 'pod', kind: 1 })
  const { body } = await api.ask('POST /v1/registries', { body: { registry: { domain: 'registry.test' } } })
  const { uuid: registry } = (body as { registry: { uuid: string } }).registry
  const red = api.machine.projectId('red')
  const image = '0e7a2f5c-6bfd-4b63-8c46-0123456789ab'
  const fields = { imageId: null, repo: 'busybox', tag: 'latest', sizeBytes: null, host: HOST, userId: 'u' }
  const record = { ...fields, uuid: image, projectId: red, pending: null, error: null }
  await api.machine.store.write((tx) => tx.images.insert(record))
  // The admin is of another project and finds them all.
  for (const line of [
    `GET /v1/containers/${box}`,
    `POST /v1/containers/${box}/stop`,
    `PATCH /v1/containers/${box}`,
    `GET /v1/capsules/${pod}`,
    `DELETE /v1/capsules/${pod}`,
    `GET /v1/registries/${registry}`,
    `DELETE /v1/registries/${registry}`,
    `GET /v1/images/${image}`,
    `GET /v1/quotas/${red}`,
    `GET /v1/quotas/${red}/defaults`,
    `PUT /v1/quotas/${red}`,
    `DELETE /v1/quotas/${red}`,
  ]) {
    const body_ = /^(PATCH|PUT)/.test(line) ? { body: {} } : {}
    assert.equal((await api.ask(line, { as: 'admin', ...body_ })).status, 403, line)
    assert.ok((await api.ask(line, { as: 'alice', ...body_ })).status < 300, line)
  }
  for (const line of [
    'GET /v1/quota_classes/default',
    `GET /v1/hosts/${HOST}`,
    `PUT /v1/services/disable?host=${HOST}&binary=zun-compute`,
    `DELETE /v1/images/${image}`,
  ]) {
    assert.equal((await api.ask(line, { as: 'admin' })).status, 200, line)
  }
})

test('a field of a container that is hidden by a rule of the operator cannot be found out by a filter', async (t) => {
  const api = await SpecApi.start({
    policy: '"container:get_one:image": "role:admin"\n"container:get_one:status": "role:member"\n',
  })
  t.after(() => api.stop())
  await api.row({ name: 'box', status: 'Running' })
  const { containers } = (await api.ask('GET /v1/containers?status=Running')).body as { containers: object[] }
  assert.deepEqual(
    containers.map((one) => [Object.hasOwn(one, 'status'), Object.hasOwn(one, 'image')]),
    [[true, false]],
  )
  const { status, title } = await api.ask('GET /v1/containers?image=busybox')
  assert.deepEqual([status, title], [403, "Policy doesn't allow container:get_one:image to be performed."])
  assert.equal((await api.ask('GET /v1/containers?image=busybox', { as: 'admin' })).status, 200)
})
