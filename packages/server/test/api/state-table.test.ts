/** container-states 4: which action is allowed in which status. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ContainerStatus } from '../../src/domain/container/types.ts'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ overrides: { quotaContainers: '-1', quotaMemory: '-1', quotaCpu: '-1' } })
})
after(() => api.stop())

const STATUSES = [
  'Creating',
  'Created',
  'Running',
  'Stopped',
  'Paused',
  'Restarting',
  'Rebuilding',
  'Deleting',
  'Deleted',
  'Error',
  'Dead',
  'Unknown',
] as const

interface Row {
  /** In the text of a refusal. */
  readonly key: string
  readonly line: (ident: string) => string
  /** An x under each status of the head in which it is allowed. */
  readonly marks: string
  readonly success: number
  readonly minor?: number
  readonly body?: object
}

const act =
  (action: string, query = '') =>
  (ident: string) =>
    `POST /v1/containers/${ident}/${action}${query}`

//                         Creating Created Running Stopped Paused Restarting Rebuilding Deleting Deleted Error Dead Unknown
const TABLE: readonly Row[] = [
  { key: 'start', line: act('start'), marks: '. x . x . . . . . x . .', success: 202 },
  { key: 'stop', line: act('stop'), marks: '. . x . . . . . . . . .', success: 202 },
  { key: 'reboot', line: act('reboot'), marks: '. x x x . . . . . x . .', success: 202 },
  { key: 'rebuild', line: act('rebuild'), marks: '. x x x . . . . . x . .', success: 202 },
  { key: 'pause', line: act('pause'), marks: '. . x . . . . . . . . .', success: 202 },
  { key: 'unpause', line: act('unpause'), marks: '. . . . x . . . . . . .', success: 202 },
  { key: 'kill', line: act('kill'), marks: '. . x . . . . . . . . .', success: 202 },
  {
    key: 'commit',
    line: (i) => `POST /v1/containers/${i}/commit?repository=snap-${i.slice(0, 8)}`,
    marks: '. . x x x . . . . . . .',
    success: 202,
  },
  {
    key: 'update',
    line: (ident) => `PATCH /v1/containers/${ident}`,
    marks: '. x x x x . . . . . . .',
    success: 200,
    body: { name: 'other' },
  },
  {
    key: 'resize_container',
    line: act('resize_container'),
    marks: '. x x x x . . . . . . .',
    success: 202,
    body: { memory: 128 },
  },
  // The local network service has one group only, so that what is allowed is a 400.
  {
    key: 'add_security_group',
    line: act('add_security_group', '?name=web'),
    marks: '. x x x x . . . . . . .',
    success: 400,
    minor: 14,
  },
  {
    key: 'remove_security_group',
    line: act('remove_security_group', '?name=web'),
    marks: '. x x x x . . . . . . .',
    success: 400,
    minor: 14,
  },
  { key: 'network_attach', line: act('network_attach'), marks: '. x x x x . . . . . . .', success: 200 },
  // It is on no network: what is allowed is a 400.
  { key: 'network_detach', line: act('network_detach', '?network=n'), marks: '. x x x x . . . . . . .', success: 400 },
  { key: 'delete', line: (i) => `DELETE /v1/containers/${i}`, marks: '. x . x . . . . x x x .', success: 204 },
  {
    key: 'delete_force',
    line: (i) => `DELETE /v1/containers/${i}?force=true`,
    marks: 'x x x x . x x x x x x x',
    success: 204,
  },
  {
    key: 'delete_after_stop',
    line: (i) => `DELETE /v1/containers/${i}?stop=true`,
    marks: '. x x x . . . . x x x .',
    success: 204,
  },
  // Both count as stop.
  {
    key: 'delete_after_stop',
    line: (i) => `DELETE /v1/containers/${i}?stop=true&force=true`,
    marks: '. x x x . . . . x x x .',
    success: 204,
  },
]

for (const { key, line, marks, success, minor = 40, body } of TABLE) {
  test(`${line('{}')} in every status`, async () => {
    for (const [i, status] of STATUSES.entries()) {
      const isAllowed = marks.split(' ')[i] === 'x'
      const uuid = await api.row({ status })
      const answer = await api.ask(line(uuid), { as: 'admin', minor, body })
      if (isAllowed) {
        assert.equal(answer.status, success, `${status}: ${answer.title}`)
        continue
      }
      assert.deepEqual([answer.status, answer.code], [409, 'invalid-state-exception'], status)
      assert.equal(answer.title, `Cannot ${key} container ${uuid} in ${status} state`)
    }
  })
}

test('a delete of what never had a host is done in the request', async () => {
  for (const status of ['Error', 'Created'] as const) {
    const uuid = await api.row({ status, host: null })
    assert.equal((await api.ask(`DELETE /v1/containers/${uuid}`)).status, 204)
    assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
  }
})

test('what an accepted action shows at once', async () => {
  const rows: readonly (readonly [line: string, from: ContainerStatus, shown: ContainerStatus])[] = [
    ['POST /reboot', 'Running', 'Restarting'],
    ['POST /rebuild', 'Running', 'Rebuilding'],
    ['POST /start', 'Stopped', 'Stopped'],
    ['POST /stop', 'Running', 'Running'],
    ['POST /kill', 'Running', 'Running'],
  ]
  for (const [line, from, shown] of rows) {
    const uuid = await api.row({ status: from })
    const [method = '', action = ''] = line.split(' ')
    const answer = await api.ask(`${method} /v1/containers/${uuid}${action}`)
    assert.deepEqual([answer.status, answer.text], [202, 'null'], line)
    const { body } = await api.ask(`GET /v1/containers/${uuid}`)
    assert.equal((body as { status: string }).status, shown, line)
  }
})

test('each recorded action is found by the id of its request, the others leave no record', async () => {
  const recorded: readonly (readonly [line: string, from: ContainerStatus, action: string])[] = [
    ['start', 'Stopped', 'start'],
    ['stop', 'Running', 'stop'],
    ['reboot', 'Running', 'reboot'],
    ['pause', 'Running', 'pause'],
    ['unpause', 'Paused', 'unpause'],
    ['kill', 'Running', 'kill'],
    ['rebuild', 'Stopped', 'rebuild'],
    ['commit?repository=recorded', 'Stopped', 'commit'],
    ['network_attach', 'Stopped', 'network_attach'],
  ]
  for (const [path, status, action] of recorded) {
    const uuid = await api.row({ status })
    const asked = await api.ask(`POST /v1/containers/${uuid}/${path}`)
    const requestId = String(asked.headers['x-openstack-request-id'])
    const one = await api.ask(`GET /v1/containers/${uuid}/container_actions/${requestId}`)
    const { events, start_time, ...record } = one.body as Record<string, unknown>
    assert.deepEqual(record, {
      action,
      container_uuid: uuid,
      request_id: requestId,
      user_id: record['user_id'],
      project_id: api.machine.projectId('red'),
      finish_time: null,
      message: null,
    })
    assert.match(String(start_time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
    assert.deepEqual(events, [])
    const { body: list } = await api.ask(`GET /v1/containers/${uuid}/container_actions`)
    assert.equal((list as { containerActions: unknown[] }).containerActions.length, 1)
  }
  const uuid = await api.row({ status: 'Stopped' })
  await api.ask(`PATCH /v1/containers/${uuid}`, { body: { name: 'renamed' } })
  await api.ask(`POST /v1/containers/${uuid}/resize_container`, { body: { memory: 128 } })
  const none = await api.ask(`GET /v1/containers/${uuid}/container_actions`)
  assert.deepEqual(none.body, { containerActions: [] })
  const unknown = await api.ask(`GET /v1/containers/${uuid}/container_actions/req-x`)
  assert.deepEqual([unknown.status, unknown.code], [404, 'resource-not-found'])
})
