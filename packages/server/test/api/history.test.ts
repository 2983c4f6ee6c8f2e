/** Why containers stopped and what was done to them, also after they were deleted (docs/design/history.md). */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { systemClock } from '../../src/lib/system-clock.ts'
import { Forgetter } from '../../src/orchestration/forgetter.ts'
import { quietLog } from '../support/quiet-log.ts'
import { SpecApi, type Request } from '../support/spec-api.ts'
import { until } from '../support/until.ts'

interface Stop {
  readonly reason: string
  readonly actor: string
  readonly exit_code: number | null
  readonly signal: string | null
  readonly oom_killed: boolean
  readonly user_id: string | null
  readonly request_id: string | null
  readonly [field: string]: unknown
}

interface History {
  readonly uuid: string
  readonly deleted_at: string | null
  readonly actions: readonly {
    readonly action: string
    readonly request_id: string
    readonly state: string
    readonly finish_time: string | null
    readonly error_code: string | null
    readonly error_message: string | null
    readonly steps: readonly { readonly name: string; readonly state: string; readonly message: string | null }[]
  }[]
  readonly stops: readonly Stop[]
  readonly [field: string]: unknown
}

let api: SpecApi
before(async () => {
  api = await SpecApi.start()
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.clearContainers()
  assert.deepEqual(api.machine.errors, [])
})

async function history(uuid: string, request: Request = {}): Promise<History> {
  const answer = await api.ask(`GET /v1/history/containers/${uuid}`, request)
  assert.equal(answer.status, 200, answer.text)
  return answer.body as History
}

async function run(body: object = {}): Promise<string> {
  const answer = await api.ask('POST /v1/containers?run=true', {
    body: { image: 'busybox', memory: 64, command: ['serve'], ...body },
  })
  assert.equal(answer.status, 202, answer.text)
  const { uuid } = answer.body as { uuid: string }
  await api.machine.settled()
  return uuid
}

async function act(line: string): Promise<string> {
  const answer = await api.ask(line)
  assert.ok([202, 204].includes(answer.status), `${line}: ${answer.text}`)
  await api.machine.settled()
  return String(answer.headers['x-openstack-request-id'])
}

async function stopsOf(uuid: string, count: number): Promise<readonly Stop[]> {
  let stops: readonly Stop[] = []
  await until(`${count} stops are recorded`, async () => {
    ;({ stops } = await history(uuid))
    return stops.length >= count
  })
  assert.equal(stops.length, count, JSON.stringify(stops))
  return stops
}

const facts = ({ reason, actor, exit_code: code, signal }: Stop): unknown[] => [reason, actor, code, signal]

test('every end of a process has its reason, its actor and its exit code', async () => {
  const byItself = await run({ command: ['sh', '-c', 'exit 3'] })
  assert.deepEqual((await stopsOf(byItself, 1)).map(facts), [['exited', 'container', 3, null]])

  const asked = await run()
  const requests = [
    await act(`POST /v1/containers/${asked}/stop`),
    await act(`POST /v1/containers/${asked}/start`),
    await act(`POST /v1/containers/${asked}/kill?signal=SIGKILL`),
  ]
  await api.machine.agreed()
  const [killed, stopped] = await stopsOf(asked, 2)
  assert.ok(killed !== undefined && stopped !== undefined)
  assert.deepEqual([stopped.reason, stopped.actor, stopped.request_id], ['stopped', 'user', requests[0]])
  assert.deepEqual([killed.reason, killed.actor, killed.request_id], ['killed', 'user', requests[2]])
  assert.equal(killed.user_id, (await history(asked))['user_id'])

  const eaten = await run()
  api.machine.engine.container(eaten)?.exit(137, { oomKilled: true })
  const [oom] = await stopsOf(eaten, 1)
  assert.deepEqual(oom && facts(oom), ['out_of_memory', 'host', 137, 'SIGKILL'])
  assert.equal(oom?.oom_killed, true)

  const crashed = await run()
  api.machine.engine.container(crashed)?.exit(139)
  assert.deepEqual((await stopsOf(crashed, 1)).map(facts), [['signal', 'host', 139, 'SIGSEGV']])
})

test('a restart by policy leaves a record of the end before it', async () => {
  const uuid = await run({ restart_policy: { Name: 'on-failure', MaximumRetryCount: '1' } })
  api.machine.engine.container(uuid)?.exit(9)
  const stops = await stopsOf(uuid, 1)
  assert.deepEqual(stops.map(facts), [['exited', 'container', 9, null]])
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 200)
})

test('what was deleted is still known: its actions with their steps and errors, and why it stopped', async () => {
  const uuid = await run({ name: 'remembered' })
  const live = await history(uuid)
  assert.equal(live.deleted_at, null)
  assert.deepEqual(
    live.actions.map(({ action, state }) => [action, state]),
    [['create', 'succeeded']],
  )
  const request = await act(`DELETE /v1/containers/${uuid}?stop=true`)
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
  assert.equal((await api.ask(`GET /v1/containers/${uuid}/container_actions`)).status, 404, 'as upstream')

  const past = await history(uuid)
  assert.ok(past.deleted_at !== null && past['name'] === 'remembered' && past['image'] === 'busybox')
  assert.deepEqual(
    past.actions.map(({ action, state }) => [action, state]),
    [
      ['delete', 'succeeded'],
      ['create', 'succeeded'],
    ],
  )
  assert.equal(past.actions[0]?.request_id, request)
  assert.ok(past.actions.every(({ finish_time: time }) => time !== null))
  assert.deepEqual(
    past.actions[0]?.steps.map(({ name, state }) => [name, state]),
    [
      ['stopContainer', 'finished'],
      ['removeContainer', 'finished'],
      ['releaseNetworks', 'finished'],
    ],
  )
  assert.deepEqual(
    past.stops.map(({ reason, request_id: by }) => [reason, by]),
    [['deleted', request]],
  )

  const listed = await api.ask('GET /v1/history/containers?name=remembered')
  const { containers } = listed.body as { containers: History[] }
  assert.deepEqual(
    containers.map((one) => [one.uuid, 'actions' in one]),
    [[uuid, false]],
  )
})

test('the cause of a failed create outlives its container', async () => {
  const missing = await run({ command: ['/no/such/program'] })
  const { status_reason: reason } = (await api.ask(`GET /v1/containers/${missing}`)).body as { status_reason: string }
  await act(`DELETE /v1/containers/${missing}`)
  const [, create] = (await history(missing)).actions
  assert.deepEqual([create?.action, create?.state], ['create', 'failed'])
  assert.equal(create?.error_message, reason)
  assert.notEqual(create?.error_code, null)
  assert.equal(create?.steps.find(({ state }) => state === 'failed')?.message, reason)
})

test('another project sees nothing of it, an admin sees all, and the host is for admins', async () => {
  const uuid = await run({ name: 'of-red' })
  await act(`DELETE /v1/containers/${uuid}?stop=true`)
  const foreign = await api.ask(`GET /v1/history/containers/${uuid}`, { as: 'bob' })
  assert.deepEqual([foreign.status, foreign.code], [404, 'container-not-found'])
  const bobs = await api.ask('GET /v1/history/containers?name=of-red', { as: 'bob' })
  assert.deepEqual(bobs.body, { containers: [], next: null })
  const everywhere = await api.ask('GET /v1/history/containers?all_projects=true', { as: 'bob' })
  assert.equal(everywhere.status, 403)
  const all = await api.ask('GET /v1/history/containers?all_projects=true&name=of-red', { as: 'admin' })
  assert.deepEqual(
    (all.body as { containers: History[] }).containers.map((one) => one.uuid),
    [uuid],
  )
  assert.equal('host' in (await history(uuid)), false)
  assert.equal((await history(uuid, { as: 'admin' }))['host'], 'sim-host')
})

test('odd requests are refused with the field that is wrong', async () => {
  for (const [line, status, text] of [
    ['GET /v1/history/containers?limit=0', 400, 'limit'],
    ['GET /v1/history/containers?sort_key=host', 400, 'sort_key'],
    ['GET /v1/history/containers?sort_dir=up', 400, 'sort_dir'],
    ['GET /v1/history/containers?marker=nobody', 404, 'nobody'],
    ['GET /v1/history/containers?all_projects=maybe', 400, 'all_projects'],
    ['GET /v1/history/containers?colour=red', 400, 'colour'],
    ['GET /v1/history/containers/web', 404, 'web'],
    ['DELETE /v1/history/containers/web', 404, ''],
  ] as const) {
    const answer = await api.ask(line)
    assert.equal(answer.status, status, `${line}: ${answer.text}`)
    assert.ok(answer.text.includes(text), answer.text)
  }
})

test('it is forgotten when its days are over', async () => {
  const uuid = await run()
  await act(`DELETE /v1/containers/${uuid}?stop=true`)
  const keeper = (keptMs: number): Forgetter =>
    new Forgetter({
      store: api.machine.store,
      clock: systemClock,
      log: quietLog,
      kinds: [{ what: 'deleted containers', purge: (tx, max) => tx.history.purge(keptMs, max) }],
    })
  await keeper(3_600_000).round()
  await history(uuid)
  await until('it is forgotten', async () => {
    await keeper(0).round()
    return (await api.ask(`GET /v1/history/containers/${uuid}`)).status === 404
  })
})
