/** containers 6 to 8 and 15, container-states 1 to 5: what becomes of what was accepted. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HOST } from '../support/sim-machine.ts'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start({
    overrides: { uniqueContainerNameScope: 'project', quotaContainers: '4', quotaMemory: '600' },
  })
})
after(async () => {
  await api.machine.clearContainers()
  await api.stop()
})

type Shown = Readonly<Record<string, unknown>>

async function show(uuid: string): Promise<Shown> {
  return (await api.ask(`GET /v1/containers/${uuid}`)).body as Shown
}

async function action(uuid: string, requestId: unknown, as: 'alice' | 'admin' = 'alice'): Promise<Shown> {
  return (await api.ask(`GET /v1/containers/${uuid}/container_actions/${String(requestId)}`, { as })).body as Shown
}

async function done(uuid: string): Promise<Shown> {
  await api.machine.settled()
  await api.machine.agreed()
  return await show(uuid)
}

test('the main paths through the statuses, each with its finished action and event', async () => {
  const { uuid } = await api.made({ name: 'walker', command: ['serve'] })
  assert.equal((await done(uuid))['status'], 'Created')
  const steps: readonly (readonly [action: string, status: string, event: string])[] = [
    ['start', 'Running', 'compute__do_container_start'],
    ['pause', 'Paused', 'compute__do_container_pause'],
    ['unpause', 'Running', 'compute__do_container_unpause'],
    ['reboot', 'Running', 'compute__do_container_reboot'],
    ['stop', 'Stopped', 'compute__do_container_stop'],
    ['start', 'Running', 'compute__do_container_start'],
    ['kill', 'Stopped', 'compute__do_container_kill'],
    ['rebuild', 'Created', 'compute__do_container_rebuild'],
    ['start', 'Running', 'compute__do_container_start'],
    ['rebuild', 'Running', 'compute__do_container_rebuild'],
    ['commit?repository=walked', 'Running', 'compute__do_container_commit'],
  ]
  for (const [path, status, event] of steps) {
    const asked = await api.ask(`POST /v1/containers/${uuid}/${path}`)
    assert.equal(asked.status, 202, `${path}: ${asked.title}`)
    const shown = await done(uuid)
    assert.deepEqual([shown['status'], shown['task_state'], shown['status_reason']], [status, null, null], path)
    const { finish_time, message, events } = await action(uuid, asked.headers['x-openstack-request-id'])
    assert.notEqual(finish_time, null, path)
    assert.equal(message, null, path)
    const [only] = events as Shown[]
    assert.deepEqual([only?.['event'], only?.['result'], only?.['traceback']], [event, 'Success', null])
  }
  const { containerActions } = (await api.ask(`GET /v1/containers/${uuid}/container_actions`)).body as {
    containerActions: Shown[]
  }
  assert.equal(containerActions.length, steps.length + 1)
  assert.deepEqual([containerActions[0]?.['action'], containerActions.at(-1)?.['action']], ['commit', 'create'])
  await api.ask(`DELETE /v1/containers/${uuid}?stop=true`)
  await api.machine.settled()
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
  assert.equal((await api.ask(`GET /v1/containers/${uuid}/container_actions`)).status, 404, 'actions go with it')
})

test('a create with run is two events, newest first', async () => {
  const answer = await api.ask('POST /v1/containers?run=true', {
    body: { image: 'busybox', memory: 64, command: ['serve'] },
  })
  const { uuid } = answer.body as { uuid: string }
  assert.equal((await done(uuid))['status'], 'Running')
  const { events } = await action(uuid, answer.headers['x-openstack-request-id'])
  assert.deepEqual(
    (events as Shown[]).map(({ event, result }) => `${String(event)} ${String(result)}`),
    ['compute__do_container_start Success', 'compute__do_container_create Success'],
  )
  await api.machine.clearContainers()
})

test('a create that fails ends in Error with its cause; the traceback is for admins', async () => {
  const answer = await api.ask('POST /v1/containers', { body: { image: 'busybox:absent', memory: 64 } })
  const { uuid } = answer.body as { uuid: string }
  const shown = await done(uuid)
  assert.equal(shown['status'], 'Error')
  assert.match(String(shown['status_reason']), /busybox:absent/)
  const id = answer.headers['x-openstack-request-id']
  const mine = await action(uuid, id)
  assert.equal(mine['message'], 'Error')
  assert.deepEqual(
    (mine['events'] as Shown[]).map(({ result, traceback }) => [result, traceback]),
    [['Error', null]],
  )
  const theirs = await action(uuid, id, 'admin')
  assert.match(String((theirs['events'] as Shown[])[0]?.['traceback']), /busybox:absent/)
  await api.machine.clearContainers()
})

test('a delete is answered at once and is over when the container is not found', async () => {
  const { uuid } = await api.made({ name: 'short', command: ['serve'] })
  await api.machine.settled()
  const running = await api.ask(`POST /v1/containers/${uuid}/start`)
  assert.equal(running.status, 202)
  await done(uuid)
  assert.equal((await api.ask(`DELETE /v1/containers/${uuid}`)).status, 409)
  let release = (): void => undefined
  const until = new Promise<void>((resolve) => {
    release = resolve
  })
  api.machine.engine.calls.faults.add({ call: 'remove', trouble: { kind: 'hold', until, reached: () => undefined } })
  assert.equal((await api.ask(`DELETE /v1/containers/${uuid}?stop=true`)).status, 204)
  const again = await api.ask(`DELETE /v1/containers/${uuid}`)
  assert.deepEqual([again.status, again.code], [409, 'invalid-state-exception'])
  const forced = await api.ask(`DELETE /v1/containers/${uuid}?force=true`, { as: 'admin' })
  assert.equal(forced.status, 204)
  // Who asks until it is gone does not keep it from going.
  const deletes = async (): Promise<number[]> =>
    (await api.machine.store.operations.unfinished(uuid)).filter(({ verb }) => verb === 'delete').map(({ id }) => id)
  const earlier = await deletes()
  const more = await api.ask(`DELETE /v1/containers/${uuid}?force=true`, { as: 'admin' })
  assert.deepEqual([more.status, await deletes()], [204, earlier])
  release()
  await api.machine.settled()
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
})

test('a name is unique in its project where that is asked for, whatever its case', async () => {
  const { uuid } = await api.made({ name: 'Taken' })
  const other = await api.made({ name: 'free' })
  const rows: readonly (readonly [line: string, body: object | undefined, minor: number])[] = [
    ['POST /v1/containers', { image: 'busybox', memory: 64, name: 'tAKEN' }, 40],
    [`PATCH /v1/containers/${other.uuid}`, { name: 'taken' }, 40],
    [`POST /v1/containers/${other.uuid}/rename?name=TAKEN`, undefined, 13],
  ]
  await api.machine.settled()
  for (const [line, body, minor] of rows) {
    const answer = await api.ask(line, { body, minor })
    assert.deepEqual([answer.status, answer.code], [409, 'container-already-exists'], line)
    assert.match(answer.title, /taken/i)
  }
  assert.equal((await api.ask(`PATCH /v1/containers/${uuid}`, { body: { name: 'Taken' } })).status, 200)
  await api.made({ name: 'taken' }, { as: 'bob' })
  await api.machine.clearContainers()
})

test('a quota counts what is there, defaults included, and names what is over', async () => {
  // 512 MiB, since none was given.
  assert.equal((await api.ask('POST /v1/containers', { body: { image: 'busybox' } })).status, 202)
  const memory = await api.ask('POST /v1/containers', { body: { image: 'busybox', memory: 128 } })
  assert.deepEqual([memory.status, memory.code], [403, 'over-quota'])
  assert.match(memory.title, /memory/)
  const small = { memory: 16 }
  const { uuid } = await api.made(small)
  await api.made(small)
  await api.made(small)
  const count = await api.ask('POST /v1/containers', { body: { image: 'busybox', memory: 512 } })
  assert.match(count.title, /containers.*memory|memory.*containers/)
  await api.machine.settled()
  for (const line of [`PATCH /v1/containers/${uuid}`, `POST /v1/containers/${uuid}/resize_container`]) {
    const grown = await api.ask(line, { body: { memory: 256 } })
    assert.deepEqual([grown.status, grown.code], [403, 'over-quota'], line)
    assert.ok((await api.ask(line, { body: { memory: 8 } })).status < 300, 'less is always possible')
    await api.machine.settled()
  }
  assert.equal((await api.ask('POST /v1/containers', { as: 'bob', body: { image: 'busybox' } })).status, 202)
  await api.machine.clearContainers()
})

test('while its host is down a container is shown as it was, actions wait, and looking into it is a 503', async () => {
  const { uuid } = await api.made({ name: 'away', command: ['serve'] })
  await api.machine.settled()
  await api.ask(`POST /v1/containers/${uuid}/start`)
  await done(uuid)
  const down = `host=${HOST}&binary=zun-compute&forced_down`
  assert.equal((await api.ask(`PUT /v1/services/force_down?${down}=true`, { as: 'admin' })).status, 200)
  assert.equal((await show(uuid))['status'], 'Running')
  for (const line of ['GET /logs', 'GET /top', 'GET /stats', 'POST /execute?command=true', 'GET /get_archive?path=/']) {
    // The official client ends in a TypeError when an error has this header.
    for (const [agent, retryAfter] of [
      ['python-zunclient', undefined],
      ['curl/8.0', '10'],
    ] as const) {
      const answer = await api.ask(line.replace(' ', ` /v1/containers/${uuid}`), { headers: { 'user-agent': agent } })
      assert.deepEqual([answer.status, answer.code], [503, 'service-unavailable'], line)
      assert.equal(answer.headers['retry-after'], retryAfter)
    }
    const answer = await api.ask(line.replace(' ', ` /v1/containers/${uuid}`))
    assert.ok(!answer.text.includes(HOST), 'tenants are not told the names of hosts')
  }
  assert.equal((await api.ask(`POST /v1/containers/${uuid}/stop`)).status, 202)
  const placed = await api.ask('POST /v1/containers', { body: { image: 'busybox', memory: 64 } })
  assert.deepEqual([placed.status, (placed.body as Shown)['status']], [202, 'Error'])
  assert.equal((await api.ask(`PUT /v1/services/force_down?${down}=false`, { as: 'admin' })).status, 200)
  await api.machine.clearContainers()
})
