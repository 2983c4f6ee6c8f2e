/** container-states 3, 5 and 6: what is shown while hosts work, when they fail, and when things happen by themselves. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { SimCall } from '../../src/adapters/fake/sim-faults.ts'
import { EngineNotFound, EngineRefused } from '../../src/domain/errors.ts'
import { SpecApi } from '../support/spec-api.ts'
import { until } from '../support/until.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ overrides: { quotaContainers: '-1', quotaMemory: '-1', quotaCpu: '-1' } })
  for (const name of ['lan', 'wan']) await api.ask('POST /v1/local/networks', { body: { name } })
})
after(async () => {
  await api.stop()
})
afterEach(async () => {
  api.machine.engine.calls.faults.clear()
  await api.machine.clearContainers()
})

type Shown = Readonly<Record<string, unknown>>

async function show(uuid: string): Promise<Shown> {
  return (await api.ask(`GET /v1/containers/${uuid}`, { as: 'admin' })).body as Shown
}

async function accepted(line: string, body?: object): Promise<string> {
  const answer = await api.ask(line, { body })
  assert.ok(answer.status < 300, `${line}: ${answer.title}`)
  return String(answer.headers['x-openstack-request-id'])
}

async function run(body: object = {}): Promise<string> {
  const answer = await api.ask('POST /v1/containers?run=true', {
    body: { image: 'busybox', memory: 64, command: ['serve'], nets: [{ network: 'lan' }], ...body },
  })
  assert.equal(answer.status, 202, answer.title)
  await api.machine.settled()
  return (answer.body as { uuid: string }).uuid
}

function refuse(call: SimCall, error: Error = new EngineRefused(`the engine refuses to ${call}`)): void {
  api.machine.engine.calls.faults.add({ call, trouble: { kind: 'refuse', error } })
}

/** Holds the next such call; resolves to a release once it is met. */
function hold(call: SimCall): Promise<() => void> {
  return new Promise((reached) => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const trouble = { kind: 'hold', until: held, reached: () => reached(release) } as const
    api.machine.engine.calls.faults.add({ call, trouble })
  })
}

/** In an order in which each is possible; the container runs at first. */
const TASKS: readonly (readonly [path: string, call: SimCall, taskState: string | null, body?: object])[] = [
  ['pause', 'pause', 'container_pausing'],
  ['unpause', 'unpause', 'container_unpausing'],
  ['reboot', 'restart', 'container_rebooting'],
  ['network_attach?network=wan', 'connect', 'network_attaching'],
  ['network_detach?network=wan', 'disconnect', 'network_detaching'],
  ['commit?repository=held', 'commit', null],
  ['resize_container', 'update', null, { memory: 128 }],
  // A step within another leaves the outer one's.
  ['rebuild', 'create', 'container_rebuilding'],
  ['rebuild', 'start', 'container_rebuilding'],
  ['stop', 'stop', 'container_stopping'],
  ['start', 'start', 'container_starting'],
  ['kill', 'kill', 'container_killing'],
]

test('the task state says what a host is doing, and is null afterwards', async () => {
  for (const [call, taskState] of [
    ['pullImage', 'image_pulling'],
    ['create', 'container_creating'],
    ['start', 'container_starting'],
  ] as const) {
    const met = hold(call)
    const answer = await api.ask('POST /v1/containers?run=true', { body: { image: 'busybox', command: ['serve'] } })
    const { uuid } = answer.body as { uuid: string }
    const release = await met
    const { task_state: shown, status } = await show(uuid)
    assert.deepEqual([shown, status], [taskState, 'Creating'])
    release()
    await api.machine.settled()
    assert.equal((await show(uuid))['task_state'], null)
  }
  const uuid = await run()
  for (const [path, call, taskState, body] of TASKS) {
    const met = hold(call)
    await accepted(`POST /v1/containers/${uuid}/${path}`, body)
    const release = await met
    assert.equal((await show(uuid))['task_state'], taskState, path)
    release()
    await api.machine.settled()
    assert.equal((await show(uuid))['task_state'], null, path)
  }
  const met = hold('remove')
  await accepted(`DELETE /v1/containers/${uuid}`)
  const release = await met
  const deleting = await show(uuid)
  assert.deepEqual([deleting['task_state'], deleting['status']], ['container_deleting', 'Deleting'])
  release()
  await api.machine.settled()
})

test('while a commit is under way the status stays what it was', async () => {
  const uuid = await run()
  const met = hold('commit')
  await accepted(`POST /v1/containers/${uuid}/commit?repository=meanwhile`)
  const release = await met
  assert.equal((await show(uuid))['status'], 'Running')
  release()
  await api.machine.settled()
  assert.equal((await show(uuid))['status'], 'Running')
})

/** What the engine refuses once: the status then, and the status when it is asked again. Begins with one that runs. */
const REFUSALS: readonly (readonly [path: string, call: SimCall, refused: string, done: string])[] = [
  ['pause', 'pause', 'Running', 'Paused'],
  ['unpause', 'unpause', 'Paused', 'Running'],
  ['reboot', 'restart', 'Running', 'Running'],
  ['stop', 'stop', 'Running', 'Stopped'],
  ['start', 'start', 'Error', 'Running'],
  ['kill', 'kill', 'Running', 'Stopped'],
  ['rebuild', 'create', 'Error', 'Created'],
]

test('what a host could not do is told by the action and by the status reason, until the next success', async () => {
  const uuid = await run()
  for (const [path, call, refused, done] of REFUSALS) {
    refuse(call)
    const request = await accepted(`POST /v1/containers/${uuid}/${path}`)
    await api.machine.settled()
    const failed = await show(uuid)
    assert.deepEqual([failed['status'], failed['task_state']], [refused, null], path)
    assert.equal(failed['status_reason'], `the engine refuses to ${call}`)
    const { body } = await api.ask(`GET /v1/containers/${uuid}/container_actions/${request}`, { as: 'admin' })
    const { message, finish_time: end, events } = body as { message: string; finish_time: string; events: Shown[] }
    assert.deepEqual([message, events[0]?.['result']], ['Error', 'Error'])
    assert.ok(end !== null)
    assert.match(String(events[0]?.['traceback']), /the engine refuses/)

    await accepted(`POST /v1/containers/${uuid}/${path}`)
    await api.machine.settled()
    const { status, status_reason: reason } = await show(uuid)
    assert.deepEqual([status, reason], [done, null], `${path} again`)
  }
  assert.deepEqual(api.machine.engine.liveContainers(), [])
})

test('a commit, a resize and a network that fail are told likewise, and change nothing', async () => {
  const uuid = await run()
  const earlier = await show(uuid)
  for (const [path, call, body] of [
    ['commit?repository=refused', 'commit', undefined],
    ['resize_container', 'update', { memory: 128, cpu: 2 }],
    ['network_attach?network=wan', 'connect', undefined],
  ] as const) {
    refuse(call)
    await accepted(`POST /v1/containers/${uuid}/${path}`, body)
    await api.machine.settled()
    const later = await show(uuid)
    assert.equal(later['status_reason'], `the engine refuses to ${call}`)
    for (const name of ['status', 'memory', 'cpu', 'addresses']) assert.deepEqual(later[name], earlier[name], path)
  }
  const network = (await api.ask('GET /v1/local/networks/wan')).body as Shown
  assert.equal(network['addresses_in_use'], 0)
})

test('a network is shown from when the container is on it', async () => {
  const uuid = await run()
  const networks = async (): Promise<unknown[]> => {
    const { body } = await api.ask(`GET /v1/containers/${uuid}/network_list`)
    return (body as { networks: unknown[] }).networks
  }
  const reached = hold('connect')
  await accepted(`POST /v1/containers/${uuid}/network_attach?network=wan`)
  const release = await reached
  assert.equal((await networks()).length, 1)
  assert.equal(Object.keys((await show(uuid))['addresses'] as object).length, 1)
  release()
  await api.machine.settled()
  assert.equal((await networks()).length, 2)
})

const CREATE_FAULTS: readonly (readonly [call: SimCall, error: Error])[] = [
  ['pullImage', new EngineNotFound('image busybox was not found')],
  ['ensureNetwork', new EngineRefused('no bridge was found')],
  ['create', new EngineRefused('no such option was found')],
  ['connect', new EngineRefused('no such endpoint was found')],
  ['start', new EngineRefused('no such program was found')],
]

test('a create that fails at any step ends in Error with its cause, keeps its host, and a delete leaves nothing of it', async () => {
  await api.ask('POST /v1/local/volumes', { body: { name: 'data', size: 1 } })
  for (const [call, error] of CREATE_FAULTS) {
    refuse(call, error)
    const mounts = [
      { source: 'data', destination: '/data' },
      { size: 1, destination: '/new' },
    ]
    const uuid = await run({ mounts, nets: [{ network: 'lan' }, { network: 'wan' }] })
    const { status, status_reason: reason, host, task_state: task } = await show(uuid)
    assert.deepEqual([status, host, task], ['Error', 'sim-host', null], call)
    assert.match(String(reason), /was(n't| not)? ?found/, call)
    const volume = (await api.ask('GET /v1/local/volumes/data')).body as Shown
    assert.equal(volume['status'], 'in-use', 'it keeps its volumes')
    await accepted(`DELETE /v1/containers/${uuid}`)
    await api.machine.settled()
    assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
    const world = api.machine.host.world()
    assert.deepEqual([world.addresses, world.mounted, world.violations], [[], [], []], call)
    for (const network of ['lan', 'wan']) {
      assert.equal(((await api.ask(`GET /v1/local/networks/${network}`)).body as Shown)['addresses_in_use'], 0)
    }
  }
})

test('after a start that failed everything is still there for the next one', async () => {
  refuse('start')
  const uuid = await run({ mounts: [{ size: 1, destination: '/data' }] })
  const failed = await show(uuid)
  assert.equal(failed['status'], 'Error')
  assert.equal(api.machine.host.world().mounted.length, 1)
  await accepted(`POST /v1/containers/${uuid}/start`)
  await api.machine.settled()
  const { status, status_reason: reason, addresses } = await show(uuid)
  assert.deepEqual([status, reason, addresses], ['Running', null, failed['addresses']])
})

test('what was never made ends in Error with the reason when it is started, and has nothing to look into', async () => {
  const uuid = await run({ image: 'busybox:absent' })
  assert.equal((await show(uuid))['status'], 'Error')
  await accepted(`POST /v1/containers/${uuid}/start`)
  await api.machine.settled()
  const { status, status_reason: reason } = await show(uuid)
  assert.equal(status, 'Error')
  assert.match(String(reason), /No such container/)
  const logs = await api.ask(`GET /v1/containers/${uuid}/logs`)
  assert.deepEqual([logs.status, logs.code], [400, 'invalid'])
})

test('what is accepted for one container is done one after the other, in that order', async () => {
  const uuid = await run()
  const met = hold('stop')
  await accepted(`POST /v1/containers/${uuid}/stop`)
  await accepted(`POST /v1/containers/${uuid}/reboot`)
  const release = await met
  assert.equal(api.machine.engine.count('restart', uuid), 0)
  release()
  await api.machine.settled()
  const made = api.machine.engine.calls.made.filter(
    ({ call, containerUuid }) => containerUuid === uuid && (call === 'stop' || call === 'restart'),
  )
  assert.deepEqual(
    made.map(({ call }) => call),
    ['stop', 'restart'],
  )
  assert.equal((await show(uuid))['status'], 'Running')
})

test('a signal that a container survives leaves it Running', async () => {
  const uuid = await run()
  await accepted(`POST /v1/containers/${uuid}/kill?signal=SIGWINCH`)
  await api.machine.settled()
  assert.equal((await show(uuid))['status'], 'Running')
  await accepted(`POST /v1/containers/${uuid}/kill`)
  await api.machine.settled()
  assert.equal((await show(uuid))['status'], 'Stopped')
})

test('what happens to a container by itself is shown, with a detail that begins as clients know it', async () => {
  const { engine } = api.machine
  const o = { signal: AbortSignal.timeout(60_000) }
  const uuid = await run()
  const becomes = async (status: string, detail: RegExp): Promise<Shown> =>
    await until(`it is ${status}`, async () => {
      const shown = await show(uuid)
      return shown['status'] === status && detail.test(String(shown['status_detail'])) && shown
    })
  await becomes('Running', /^Up \d+ seconds$/)
  await engine.pause(uuid, o)
  await becomes('Paused', /^Up \d+ seconds \(paused\)$/)
  await engine.unpause(uuid, o)
  await becomes('Running', /^Up /)
  engine.exit(uuid, 3)
  await becomes('Stopped', /^Exited\(3\) \d+ seconds ago $/)
  refuse('start')
  await accepted(`POST /v1/containers/${uuid}/start`)
  await api.machine.settled()
  assert.equal((await show(uuid))['status'], 'Error')
  await engine.start(uuid, o)
  assert.equal((await becomes('Running', /^Up /))['status_reason'], null, 'one in Error that runs is Running')
})

test('what the engine has lost is Error, goes, or is made anew, as was asked for', async () => {
  const { engine } = api.machine
  const [plain, fleeting, healing] = [await run(), await run({ auto_remove: true }), await run({ auto_heal: true })]
  const { addresses } = await show(healing)
  for (const uuid of [plain, fleeting, healing]) engine.lose(uuid)
  const lost = await until('it is in Error', async () => {
    const shown = await show(plain)
    return shown['status'] === 'Error' && shown
  })
  assert.match(String(lost['status_reason']), /No such container/)
  await until('it is gone', async () => (await api.ask(`GET /v1/containers/${fleeting}`)).status === 404)
  await until('it runs again', async () => engine.container(healing)?.isLive === true)
  await api.machine.settled()
  const healed = await show(healing)
  assert.deepEqual([healed['status'], healed['addresses']], ['Running', addresses])
  const { body } = await api.ask(`GET /v1/containers/${healing}/container_actions`)
  const [action] = (body as { containerActions: Shown[] }).containerActions
  assert.deepEqual([action?.['action'], action?.['message']], ['rebuild', null])
  assert.notEqual(action?.['finish_time'], null)
})

test('what is removed at its end goes however soon that is, and why it ended stays known', async () => {
  const body = { auto_remove: true, command: ['sh', '-c', 'exit 3'] }
  const uuids = [await run(body)]
  const [created] = [await api.ask('POST /v1/containers', { body: { image: 'busybox', ...body } })]
  await api.machine.settled()
  const { uuid } = created.body as { uuid: string }
  await accepted(`POST /v1/containers/${uuid}/start`)
  uuids.push(uuid)
  for (const gone of uuids) {
    await until('it is gone', async () => (await api.ask(`GET /v1/containers/${gone}`)).status === 404)
    const { stops, actions } = (await api.ask(`GET /v1/history/containers/${gone}`)).body as {
      stops: Shown[]
      actions: Shown[]
    }
    assert.deepEqual(
      stops.map(({ reason, actor, exit_code: code }) => [reason, actor, code]),
      [['exited', 'container', 3]],
    )
    for (const { action, state } of actions) assert.equal(state, 'succeeded', String(action))
    assert.equal(actions[0]?.['action'], 'delete')
  }
})

test('what somebody removes before the step that started it looks is Error, and not Creating for ever', async () => {
  const { engine } = api.machine
  const reached = Promise.withResolvers<void>()
  const looked = Promise.withResolvers<void>()
  const trouble = { kind: 'hold', until: looked.promise, reached: reached.resolve } as const
  // The first look is when it is made.
  engine.calls.faults.add({ call: 'inspect', skip: 1, trouble })
  const body = { image: 'busybox', memory: 64, command: ['serve'] }
  const { uuid } = (await api.ask('POST /v1/containers?run=true', { body })).body as { uuid: string }
  await reached.promise
  assert.equal(engine.container(uuid)?.isLive, true)
  engine.lose(uuid)
  looked.resolve()
  await api.machine.settled()
  const shown = await show(uuid)
  assert.deepEqual([shown['status'], shown['task_state']], ['Error', null])
  assert.match(String(shown['status_reason']), /No such container/)
})

test('a rebuild takes command and entrypoint of the new image, but those that were asked for stay', async () => {
  api.machine.engine.images.publish('nginx:other', { command: ['serve', '--other'], entrypoint: ['/bin/sh'] })
  const [theirs, own] = [await run({ image: 'nginx', command: null }), await run({ command: ['serve', '--own'] })]
  assert.deepEqual((await show(theirs))['command'], ['serve'])
  for (const uuid of [theirs, own]) {
    await accepted(`POST /v1/containers/${uuid}/stop`)
    await api.machine.settled()
    await accepted(`POST /v1/containers/${uuid}/rebuild?image=nginx:other&ignored=1`)
    assert.equal((await show(uuid))['image'], 'nginx:other', 'stored before the work')
    await api.machine.settled()
    assert.equal((await show(uuid))['status'], 'Created')
  }
  const shown = await show(theirs)
  assert.deepEqual([shown['command'], shown['entrypoint']], [['serve', '--other'], ['/bin/sh']])
  assert.deepEqual((await show(own))['command'], ['serve', '--own'])
})

test('a rebuild keeps addresses, which go with the container all the same', async () => {
  const uuid = await run()
  const { addresses } = await show(uuid)
  await accepted(`POST /v1/containers/${uuid}/rebuild`)
  await api.machine.settled()
  const rebuilt = await show(uuid)
  assert.deepEqual([rebuilt['status'], rebuilt['addresses']], ['Running', addresses])
  assert.doesNotMatch(JSON.stringify(addresses), /"preserve_on_delete":true/)
  await accepted(`DELETE /v1/containers/${uuid}?stop=true`)
  await api.machine.settled()
  assert.equal(((await api.ask('GET /v1/local/networks/lan')).body as Shown)['addresses_in_use'], 0)
})

test('a delete that fails ends in Error with the cause; forced, it goes on and is done', async () => {
  const uuid = await run()
  await accepted(`POST /v1/containers/${uuid}/stop`)
  await api.machine.settled()
  refuse('remove')
  await accepted(`DELETE /v1/containers/${uuid}`)
  await api.machine.settled()
  const failed = await show(uuid)
  assert.deepEqual([failed['status'], failed['status_reason']], ['Error', 'the engine refuses to remove'])
  refuse('remove')
  assert.equal((await api.ask(`DELETE /v1/containers/${uuid}?force=true`, { as: 'admin' })).status, 204)
  await api.machine.settled()
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
  // What the engine would not give up is an orphan now, for the sweep.
  await api.machine.engine.remove(uuid, true, { signal: AbortSignal.timeout(60_000) })
})

test('a delete that was accepted is done, whatever the process does meanwhile', async () => {
  const uuid = await run()
  await accepted(`POST /v1/containers/${uuid}/stop`)
  await api.machine.settled()
  const met = hold('remove')
  await accepted(`DELETE /v1/containers/${uuid}`)
  const release = await met
  await api.machine.engine.start(uuid, { signal: AbortSignal.timeout(60_000) })
  release()
  await api.machine.settled()
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
  assert.equal(api.machine.engine.container(uuid), undefined)
})
