/** policy.md 3 and 4: what rules of the operator may say of the caller and of what is acted on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aSpec } from '../support/builders.ts'
import { SpecApi } from '../support/spec-api.ts'

const POLICY = `
context_is_admin: role:admin and not role:member
container:start: "'gold':%(labels.tier)s"
container:stop: user_id:%(user_id)s
container:pause: False:%(interactive)s and 'Running':%(status)s
container:kill: [["role:operator"], ["None:%(runtime)s", "role:member"]]
container:reboot: "not role:member or"
container:get_one: rule:nowhere
host:get_all: rule:host:get
host:get: rule:host:get_all
default: role:auditor
`

test('rules see the fields of the container and of the caller', async (t) => {
  const api = await SpecApi.start({ policy: POLICY })
  t.after(() => api.stop())
  const alice = (await api.machine.identity.ensureUser('alice', 'secret of alice')).id
  const row = async (more: Parameters<typeof api.row>[0], spec: object = {}): Promise<string> =>
    await api.row({ status: 'Running', ...more, spec: aSpec(spec) })
  const rows: readonly (readonly [action: string, ident: string, status: number])[] = [
    ['start', await row({ status: 'Stopped' }, { labels: { tier: 'gold' } }), 202],
    ['start', await row({ status: 'Stopped' }, { labels: { tier: 'tin' } }), 403],
    ['start', await row({ status: 'Stopped' }, { labels: {} }), 403],
    ['stop', await row({ userId: alice }), 202],
    ['stop', await row({ userId: 'somebody' }), 403],
    ['pause', await row({}, { interactive: false }), 202],
    ['pause', await row({}, { interactive: true }), 403],
    ['pause', await row({ status: 'Stopped' }, { interactive: false }), 403],
    ['kill', await row({}), 202],
    ['kill', await row({}, { runtime: 'runc' }), 403],
    ['reboot', await row({}), 403],
  ]
  for (const [i, [action, uuid, status]] of rows.entries()) {
    const answer = await api.ask(`POST /v1/containers/${uuid}/${action}`)
    assert.equal(answer.status, status, `${i} ${action}: ${answer.title}`)
  }
})

test('unknown rules go by the default one, rules that lead to themselves deny everybody', async (t) => {
  const api = await SpecApi.start({ policy: POLICY })
  t.after(() => api.stop())
  const { identity } = api.machine
  const red = await identity.ensureProject('red')
  const user = await identity.ensureUser('uma', 'secret of uma')
  const uuid = await api.row({})
  const tokens = new Map<string, string>()
  for (const roles of ['auditor', 'member', 'admin', 'admin member']) {
    tokens.set(roles, (await identity.issue(user, red, roles.split(' '))).token)
  }
  const rows: readonly (readonly [roles: string, line: string, status: number])[] = [
    ['auditor', `GET /v1/containers/${uuid}`, 200],
    ['member', `GET /v1/containers/${uuid}`, 403],
    ['admin', 'GET /v1/hosts', 403],
    ['admin', 'GET /v1/services', 200],
    ['admin member', 'GET /v1/services', 403],
  ]
  for (const [roles, line, status] of rows) {
    const headers = { 'x-auth-token': tokens.get(roles) ?? '' }
    assert.equal((await api.ask(line, { headers })).status, status, `${roles}: ${line}`)
  }
})
