/** api-conventions 5: what came with a version, and is there in earlier ones too, because clients found it there. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start()
  await api.ask('POST /v1/local/networks', { body: { name: 'lan' } })
})
after(() => api.stop())
afterEach(() => api.machine.clearContainers())

type Shown = Readonly<Record<string, unknown>>

test('nets and cpu_policy of a create are taken from 1.1 on, the type of a mount as early as mounts', async () => {
  const rows: readonly (readonly [minor: number, body: object])[] = [
    [1, { nets: [{ network: 'lan' }] }],
    [1, { cpu_policy: 'shared' }],
    [11, { mounts: [{ type: 'volume', size: 1, destination: '/d' }] }],
    [11, { mounts: [{ type: 'bind', source: 'aGk=', destination: '/f' }] }],
  ]
  for (const [minor, body] of rows) {
    const answer = await api.ask('POST /v1/containers', { minor, body: { image: 'busybox', memory: 64, ...body } })
    assert.equal(answer.status, 202, `${JSON.stringify(body)} at 1.${minor}: ${answer.title}`)
    const { addresses, cpu_policy } = answer.body as Shown
    assert.equal(cpu_policy, 'shared')
    if ('nets' in body) assert.equal(Object.keys(addresses as object).length, 1)
  }
})

test('a port can be detached as soon as networks can, at 1.6', async () => {
  const { uuid } = await api.made({ nets: [{ network: 'lan' }] })
  await api.machine.settled()
  const { body } = await api.ask(`GET /v1/containers/${uuid}/network_list`)
  const [held] = (body as { networks: { port_id: string }[] }).networks
  const line = `POST /v1/containers/${uuid}/network_detach?port=${held?.port_id}`
  const answer = await api.ask(line, { minor: 6 })
  assert.equal(answer.status, 202, answer.title)
  await api.machine.settled()
  assert.deepEqual((await api.ask(`GET /v1/containers/${uuid}/network_list`)).body, { networks: [] })
})

test('a delete does not wait for its end at any version, and PATCH takes a name', async () => {
  for (const minor of [1, 9, 10, 40]) {
    const { uuid } = await api.made({})
    await api.machine.settled()
    const renamed = await api.ask(`PATCH /v1/containers/${uuid}`, { minor, body: { name: `at-${minor}` } })
    assert.deepEqual([renamed.status, (renamed.body as Shown)['name']], [200, `at-${minor}`])
    let release = (): void => undefined
    const until = new Promise<void>((resolve) => {
      release = resolve
    })
    api.machine.engine.calls.faults.add({ call: 'remove', trouble: { kind: 'hold', until, reached: () => undefined } })
    assert.equal((await api.ask(`DELETE /v1/containers/${uuid}`, { minor })).status, 204)
    const shown = await api.ask(`GET /v1/containers/${uuid}`, { minor })
    assert.deepEqual([shown.status, (shown.body as Shown)['status']], [200, 'Deleting'])
    release()
    await api.machine.settled()
    assert.equal((await api.ask(`GET /v1/containers/${uuid}`, { minor })).status, 404)
  }
})

test('actions show when they ended at every version', async () => {
  const answer = await api.ask('POST /v1/containers', { body: { image: 'busybox', memory: 64 } })
  const { uuid } = answer.body as { uuid: string }
  await api.machine.settled()
  const line = `GET /v1/containers/${uuid}/container_actions`
  for (const minor of [1, 32, 33]) {
    const { containerActions } = (await api.ask(line, { minor })).body as { containerActions: Shown[] }
    const id = String(answer.headers['x-openstack-request-id'])
    const one = (await api.ask(`${line}/${id}`, { minor })).body as Shown & { events: Shown[] }
    for (const shown of [containerActions[0], one, one.events[0]]) {
      assert.match(String(shown?.['finish_time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
    }
  }
})
