/** policy.md 2: who may do what by default, for every route there is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REGISTERED_RULES } from '../../src/domain/policy/default-rules.ts'
import { Router } from '../../src/edge/api/router.ts'
import { CALLERS, CAPSULE, CREATE, PolicyStage, type CallerName, type Row } from '../support/policy-stage.ts'
import { HOST } from '../support/sim-machine.ts'
import { QUIET_HOST } from '../support/spec-api.ts'

const BOX = '/v1/containers/{box}'
const LIVE = '/v1/containers/{live}'

const OF_PROJECT = '202 202 202 404 401'
const SHOWN = '200 200 200 404 401'
const TO_ALL = '200 200 200 200 401'
const TO_ADMINS = '200 403 403 403 401'

const TABLE: readonly Row[] = [
  { line: 'POST /v1/containers', rule: 'container:create', answers: '202 202 202 202 401', body: CREATE },
  {
    line: 'POST /v1/containers',
    rule: 'container:create:runtime',
    answers: '202 403 403 403 401',
    body: { ...CREATE, runtime: 'runc' },
  },
  {
    line: 'POST /v1/containers',
    rule: 'container:create:privileged',
    answers: '403 403 403 403 401',
    body: { ...CREATE, privileged: true },
  },
  {
    line: 'POST /v1/containers',
    rule: 'container:create:requested_destination',
    answers: '202 403 403 403 401',
    body: { ...CREATE, host: HOST },
  },
  {
    line: 'POST /v1/containers',
    rule: 'container:create:image_pull_policy',
    answers: '202 403 403 403 401',
    body: { ...CREATE, image_pull_policy: 'always' },
  },
  { line: 'GET /v1/containers', rule: 'container:get_all', answers: TO_ALL },
  { line: 'GET /v1/containers?all_projects=true', rule: 'container:get_all_all_projects', answers: TO_ADMINS },
  { line: `GET /v1/containers?host=${HOST}`, rule: 'container:get_one:host', answers: TO_ADMINS },
  { line: `GET ${BOX}`, rule: 'container:get_one', answers: SHOWN },
  { line: `GET ${BOX}?all_projects=true`, rule: 'container:get_one_all_projects', answers: TO_ADMINS },
  { line: `PATCH ${BOX}`, rule: 'container:update', answers: SHOWN, body: { name: 'other-{n}' } },
  { line: `DELETE ${BOX}`, rule: 'container:delete', answers: '204 204 204 404 401', status: 'Stopped' },
  {
    line: `DELETE ${BOX}?all_projects=true`,
    rule: 'container:delete_all_projects',
    answers: '204 403 403 403 401',
    status: 'Stopped',
  },
  { line: `DELETE ${BOX}?force=true`, rule: 'container:delete_force', answers: '204 403 403 404 401' },
  { line: `POST ${BOX}/start`, rule: 'container:start', answers: OF_PROJECT, status: 'Stopped' },
  { line: `POST ${BOX}/stop`, rule: 'container:stop', answers: OF_PROJECT },
  { line: `POST ${BOX}/reboot`, rule: 'container:reboot', answers: OF_PROJECT },
  { line: `POST ${BOX}/pause`, rule: 'container:pause', answers: OF_PROJECT },
  { line: `POST ${BOX}/unpause`, rule: 'container:unpause', answers: OF_PROJECT, status: 'Paused' },
  { line: `POST ${BOX}/kill`, rule: 'container:kill', answers: OF_PROJECT },
  { line: `POST ${BOX}/rebuild`, rule: 'container:rebuild', answers: OF_PROJECT },
  {
    line: `POST ${BOX}/resize_container`,
    rule: 'container:resize_container',
    answers: OF_PROJECT,
    body: { memory: 128 },
  },
  { line: `POST ${BOX}/rename?name=other-{n}`, rule: 'container:rename', answers: SHOWN, minor: 13 },
  { line: `POST ${BOX}/commit?repository=snap-{n}`, rule: 'container:commit', answers: OF_PROJECT },
  // The contract has no rule for it; that of showing the container is asked.
  { line: `GET ${BOX}/network_list`, rule: 'container:get_one', answers: SHOWN },
  { line: `POST ${BOX}/network_attach`, rule: 'container:network_attach', answers: SHOWN },
  // It is on no network, and there is only one group: what is allowed is a 400.
  { line: `POST ${BOX}/network_detach?network=n`, rule: 'container:network_detach', answers: '400 400 400 404 401' },
  {
    line: `POST ${BOX}/add_security_group?name=web`,
    rule: 'container:add_security_group',
    answers: '400 400 400 404 401',
    minor: 14,
  },
  {
    line: `POST ${BOX}/remove_security_group?name=web`,
    rule: 'container:remove_security_group',
    answers: '400 400 400 404 401',
    minor: 14,
  },
  { line: `GET ${LIVE}/container_actions`, rule: 'container:actions', answers: SHOWN },
  { line: `GET ${LIVE}/container_actions/{action}`, rule: 'container:actions', answers: SHOWN },
  { line: `GET ${LIVE}/logs`, rule: 'container:logs', answers: SHOWN },
  { line: `PUT ${LIVE}/logs`, rule: null, answers: '405 405 405 405 401' },
  { line: `GET ${LIVE}/top`, rule: 'container:top', answers: SHOWN },
  { line: `GET ${LIVE}/stats`, rule: 'container:stats', answers: SHOWN },
  { line: `POST ${LIVE}/execute`, rule: 'container:execute', answers: SHOWN, body: { command: 'true' } },
  {
    // There is no such command in it: what is allowed is a 400.
    line: `POST ${LIVE}/execute_resize?exec_id=${'ab'.repeat(32)}&h=1&w=1`,
    rule: 'container:execute_resize',
    answers: '400 400 400 404 401',
  },
  { line: `GET ${LIVE}/attach`, rule: 'container:attach', answers: SHOWN },
  { line: `POST ${LIVE}/resize?h=24&w=80`, rule: 'container:resize', answers: SHOWN },
  { line: `GET ${LIVE}/get_archive?path=/etc`, rule: 'container:get_archive', answers: SHOWN },
  {
    line: `POST ${LIVE}/put_archive?path=/tmp`,
    rule: 'container:put_archive',
    answers: SHOWN,
    body: { data: Buffer.alloc(1024).toString('base64') },
  },
  {
    line: `PUT ${LIVE}/put_archive?path=/tmp`,
    rule: 'container:put_archive',
    answers: SHOWN,
    tar: Buffer.alloc(1024).toString(),
  },
  { line: 'GET /v1/services', rule: 'zun-service:get_all', answers: TO_ADMINS },
  {
    line: 'DELETE /v1/services?host={host}&binary=zun-compute',
    rule: 'zun-service:delete',
    answers: TO_ADMINS,
  },
  { line: 'PUT /v1/services/enable?host={host}&binary=zun-compute', rule: 'zun-service:enable', answers: TO_ADMINS },
  { line: 'PUT /v1/services/disable?host={host}&binary=zun-compute', rule: 'zun-service:disable', answers: TO_ADMINS },
  {
    line: 'PUT /v1/services/force_down?host={host}&binary=zun-compute&forced_down=true',
    rule: 'zun-service:force_down',
    answers: TO_ADMINS,
  },
  { line: 'PUT /v1/services/weather', rule: null, answers: '404 404 404 404 401' },
  { line: 'GET /v1/hosts', rule: 'host:get_all', answers: TO_ADMINS },
  { line: `GET /v1/hosts/${QUIET_HOST}`, rule: 'host:get', answers: TO_ADMINS },
  { line: 'GET /v1/images', rule: 'image:get_all', answers: TO_ADMINS },
  {
    line: 'POST /v1/images',
    rule: 'image:pull',
    answers: '202 403 403 403 401',
    body: { repo: 'busybox', host: QUIET_HOST },
  },
  // An image that is not there for the caller is a 400.
  { line: 'GET /v1/images/{image}', rule: 'image:get_one', answers: '200 403 403 400 401' },
  { line: 'DELETE /v1/images/{image}', rule: 'image:delete', answers: '200 403 403 400 401' },
  { line: 'GET /v1/images/busybox/search', rule: 'image:search', answers: TO_ALL },
  { line: 'GET /v1/availability_zones', rule: 'availability_zones:get_all', answers: TO_ALL },
  { line: 'GET /v1/quotas/{red}', rule: 'quota:get', answers: '200 200 200 403 401' },
  { line: 'GET /v1/quotas/{red}?usages=true', rule: 'quota:get', answers: '200 200 200 403 401' },
  { line: 'GET /v1/quotas/{red}/defaults', rule: 'quota:get_default', answers: '200 200 200 403 401' },
  { line: 'PUT /v1/quotas/{red}', rule: 'quota:update', answers: TO_ADMINS, body: { containers: -1 } },
  { line: 'DELETE /v1/quotas/{red}', rule: 'quota:delete', answers: TO_ADMINS },
  { line: 'GET /v1/quota_classes/default', rule: 'quota_class:get', answers: TO_ADMINS },
  { line: 'PUT /v1/quota_classes/default', rule: 'quota_class:update', answers: TO_ADMINS, body: { containers: -1 } },
  { line: 'GET /v1/registries', rule: 'registry:get_all', answers: TO_ALL },
  { line: 'GET /v1/registries?all_projects=true', rule: 'registry:get_all_all_projects', answers: TO_ADMINS },
  {
    line: 'POST /v1/registries',
    rule: 'registry:create',
    answers: '201 201 201 201 401',
    body: { registry: { domain: 'registry.test' } },
  },
  { line: 'GET /v1/registries/{registry}', rule: 'registry:get_one', answers: SHOWN },
  {
    line: 'PATCH /v1/registries/{registry}',
    rule: 'registry:update',
    answers: SHOWN,
    body: { registry: { name: 'other-{n}' } },
  },
  { line: 'DELETE /v1/registries/{registry}', rule: 'registry:delete', answers: '204 204 204 404 401' },
  { line: `GET ${LIVE.replace('/containers', '/history/containers')}`, rule: 'history:get_one', answers: SHOWN },
  { line: 'GET /v1/events?timeout=0', rule: 'event:get_all', answers: TO_ALL },
  { line: 'GET /v1/events?timeout=0&all_projects=true', rule: 'event:get_all_all_projects', answers: TO_ADMINS },
  { line: 'GET /v1/history/containers', rule: 'history:get_all', answers: TO_ALL },
  {
    line: 'GET /v1/history/containers?all_projects=true',
    rule: 'history:get_all_all_projects',
    answers: TO_ADMINS,
  },
  {
    line: 'POST /v1/networks',
    rule: 'network:create',
    answers: TO_ADMINS,
    body: { name: 'lan', neutron_net_id: '{network}' },
  },
  // One of the hosts of this stage never answers, and has perhaps the network.
  { line: 'DELETE /v1/networks/{network}', rule: 'network:delete', answers: '503 403 403 403 401' },
  { line: 'POST /v1/capsules', rule: 'capsule:create', answers: '202 202 202 202 401', body: { template: CAPSULE } },
  { line: 'GET /v1/capsules', rule: 'capsule:get_all', answers: TO_ALL },
  // For whoever is no admin the parameter counts for nothing.
  { line: 'GET /v1/capsules?all_projects=true', rule: 'capsule:get_all', answers: TO_ALL },
  { line: 'GET /v1/capsules/{capsule}', rule: 'capsule:get', answers: SHOWN },
  { line: 'DELETE /v1/capsules/{capsule}', rule: 'capsule:delete', answers: '204 204 204 404 401' },
  {
    line: 'DELETE /v1/capsules/{capsule}?all_projects=true',
    rule: 'capsule:delete_all_projects',
    answers: '204 403 403 403 401',
  },
  { line: 'GET /v1/local/networks', rule: 'local_network:get_all', answers: TO_ALL },
  {
    line: 'POST /v1/local/networks',
    rule: 'local_network:create',
    answers: '201 201 201 201 401',
    body: { name: 'lan-{n}' },
  },
  { line: 'GET /v1/local/networks/{network}', rule: 'local_network:get_one', answers: SHOWN },
  { line: 'DELETE /v1/local/networks/{network}', rule: 'local_network:delete', answers: '204 204 204 404 401' },
  { line: 'GET /v1/local/volumes', rule: 'local_volume:get_all', answers: TO_ALL },
  {
    line: 'POST /v1/local/volumes',
    rule: 'local_volume:create',
    answers: '201 201 201 201 401',
    body: { name: 'data-{n}', size: 1 },
  },
  { line: 'GET /v1/local/volumes/{volume}', rule: 'local_volume:get_one', answers: SHOWN },
  { line: 'DELETE /v1/local/volumes/{volume}', rule: 'local_volume:delete', answers: '204 204 204 404 401' },
  { line: 'GET /v1/extensions', rule: null, answers: TO_ALL },
]

/** What stays out of sight for those who fail the rule; the request itself goes through. */
const FIELD_RULES = ['host', 'image_pull_policy', 'privileged', 'runtime'].map((field) => `container:get_one:${field}`)

/** No request asks these: they are for the operator's rules, or upstream does not ask them either. */
const WITHOUT_ROUTE =
  /^(context_is_admin|admin_or_owner|admin_api|deny_everybody|network:attach_external_network|capsule:get_(one|all)_all_projects)$/

/** Shown or not: the trace of a failed step, see lifecycle.test.ts, and the host of a capsule, see capsules.test.ts. */
const SHOWN_OR_NOT = ['container:action:events', 'capsule:get:host']

test('with the default rules every request is answered as the table has it', async (t) => {
  const stage = await PolicyStage.start()
  t.after(() => stage.api.stop())
  for (const row of TABLE) {
    const got: string[] = []
    for (const caller of CALLERS) {
      const { status, code, title } = await stage.ask(row, caller)
      got.push(String(status))
      if (status === 403) {
        assert.equal(code, 'policy-not-authorized', row.line)
        assert.equal(title, `Policy doesn't allow ${row.rule} to be performed.`)
      }
    }
    assert.equal(got.join(' '), row.answers, `${row.line} (${CALLERS.join(' ')})`)
  }
})

/** Rules that are asked after another one of the same request. */
const isSecond = (rule: string): boolean =>
  /^container:(create:.*|.*_all_projects|delete_force|get_one:.*)$|^(registry|history|event):.*_all_projects$/.test(
    rule,
  )

for (const second of [false, true]) {
  test(`a rule of the operator is what decides, as the ${second ? 'second' : 'first'} one of a request`, async (t) => {
    const rows = TABLE.filter(({ rule }) => rule !== null && isSecond(rule) === second)
    // What a request is about must have been made by somebody: a member may, and no admin.
    const made = [
      'container:create',
      'capsule:create',
      'registry:create',
      'local_network:create',
      'local_volume:create',
    ]
    const policy = Object.fromEntries(rows.map(({ rule }) => [rule, made.includes(rule ?? '') ? 'role:member' : '!']))
    const stage = await PolicyStage.start(JSON.stringify(policy))
    t.after(() => stage.api.stop())
    for (const row of rows) {
      const { status, title } = await stage.ask(row, 'admin')
      assert.deepEqual([status, title], [403, `Policy doesn't allow ${row.rule} to be performed.`], row.line)
    }
  })
}

test('every route is in the table, and every rule that a route asks', async (t) => {
  const stage = await PolicyStage.start()
  t.after(() => stage.api.stop())
  const { routes } = stage.api.machine
  const router = new Router(routes)
  const met = new Set<unknown>()
  for (const { line, minor = 40 } of TABLE) {
    const [method = '', url = ''] = line.split(' ')
    const found = router.find(url.split('?')[0] ?? '')?.routes.filter((route) => route.method === method) ?? []
    for (const route of found) {
      if ((route.minVersion ?? 1) <= minor && minor <= (route.maxVersion ?? minor)) met.add(route)
    }
  }
  assert.deepEqual(
    routes.filter((route) => !met.has(route)).map(({ method, path }) => `${method} ${path}`),
    [],
    'routes without a row',
  )
  const asked = new Set([...TABLE.map(({ rule }) => rule), ...FIELD_RULES, ...SHOWN_OR_NOT])
  const names = REGISTERED_RULES.map(({ name }) => name)
  assert.deepEqual(
    names.filter((name) => !asked.has(name) && !WITHOUT_ROUTE.test(name)),
    [],
    'rules without a row',
  )
  assert.deepEqual(
    [...asked].filter((name) => name !== null && (!names.includes(name) || WITHOUT_ROUTE.test(name))),
    [],
  )
})

test('fields with a rule of their own are shown to those who pass it', async (t) => {
  const stage = await PolicyStage.start('"container:get_one:hostname": "role:reader"\n')
  t.after(() => stage.api.stop())
  const fields = [...FIELD_RULES.map((rule) => rule.slice('container:get_one:'.length)), 'hostname', 'name']
  const rows: readonly [CallerName, string[]][] = [
    ['admin', ['host', 'image_pull_policy', 'privileged', 'runtime', 'name']],
    ['member', ['name']],
    ['reader', ['hostname', 'name']],
  ]
  for (const [caller, expected] of rows) {
    const { body } = await stage.ask({ line: `GET ${BOX}`, rule: null, answers: '' }, caller)
    assert.deepEqual(
      fields.filter((field) => Object.hasOwn(body as object, field)),
      expected,
      caller,
    )
  }
})

test('fields of a registry are hidden by a rule of the operator, and cannot be found out by a filter', async (t) => {
  const stage = await PolicyStage.start('"registry:get_one:username": "role:reader"\n')
  t.after(() => stage.api.stop())
  const ask = async (line: string, caller: CallerName) => await stage.ask({ line, rule: null, answers: '' }, caller)
  for (const [caller, isShown] of [
    ['reader', true],
    ['member', false],
  ] as const) {
    const one = (await ask('GET /v1/registries/{registry}', caller)).body as { registry: object }
    const all = (await ask('GET /v1/registries', caller)).body as { registries: object[] }
    for (const shown of [one.registry, ...all.registries]) {
      assert.deepEqual([Object.hasOwn(shown, 'username'), Object.hasOwn(shown, 'domain')], [isShown, true], caller)
    }
    const { status, title } = await ask('GET /v1/registries?username=u', caller)
    if (isShown) assert.equal(status, 200)
    else assert.deepEqual([status, title], [403, "Policy doesn't allow registry:get_one:username to be performed."])
  }
})
