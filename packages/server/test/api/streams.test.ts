/** Bounds of streams, over real connections to the composed API. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import { until } from '../support/until.ts'
import { SimMachine, type SimMachineOptions, type User } from '../support/sim-machine.ts'

async function machineWith(t: TestContext, options: SimMachineOptions): Promise<SimMachine> {
  const machine = await SimMachine.start(options)
  t.after(() => machine.stop())
  return machine
}

async function running(machine: SimMachine, user: User): Promise<string> {
  const body = { image: 'busybox', command: ['serve'], memory: 64 }
  const { statusCode, body: text } = await machine.ask(user, 'POST', '/v1/containers?run=true', body)
  assert.equal(statusCode, 202, text)
  await machine.settled()
  return (JSON.parse(text) as { uuid: string }).uuid
}

function begin(machine: SimMachine, user: User, line: string) {
  const [method = '', path = ''] = line.split(' ')
  const call = request({
    host: '127.0.0.1',
    port: machine.port,
    agent: false,
    method,
    path,
    headers: { 'x-auth-token': machine.token(user), 'openstack-api-version': 'container 1.40' },
  })
  const answered = once(call, 'response').then(([response]) => response as IncomingMessage)
  return { call, answered }
}

async function open(machine: SimMachine, user: User, line: string): Promise<IncomingMessage> {
  const { call, answered } = begin(machine, user, line)
  call.end()
  return await answered
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString()
  return text
}

test('a project has so many streams and no more, whatever they are of; another has its own', async (t) => {
  const machine = await machineWith(t, { overrides: { streamsPerProject: '2' } })
  const [red, blue] = [await running(machine, 'alice'), await running(machine, 'bob')]
  const log = await open(machine, 'alice', `GET /v1/containers/${red}/stats?stream=true`)
  const stats = await open(machine, 'alice', `GET /v1/containers/${red}/stats?stream=true`)
  assert.deepEqual([log.statusCode, stats.statusCode], [200, 200])
  const refused = await open(machine, 'alice', `GET /v1/containers/${red}/stats?stream=true`)
  assert.equal(refused.statusCode, 429)
  assert.match(await textOf(refused), /too-many-streams.*At most 2 streams of a project/)
  const others = await open(machine, 'bob', `GET /v1/containers/${blue}/stats?stream=true`)
  assert.equal(others.statusCode, 200)
  log.destroy()
  await until('his place is free', async () => {
    const again = await open(machine, 'alice', `GET /v1/containers/${red}/stats?stream=true`)
    again.destroy()
    return again.statusCode === 200
  })
})

test('a process has so many streams and no more, of all projects', async (t) => {
  const machine = await machineWith(t, { overrides: { maxStreams: '1' } })
  const [red, blue] = [await running(machine, 'alice'), await running(machine, 'bob')]
  const log = await open(machine, 'alice', `GET /v1/containers/${red}/stats?stream=true`)
  assert.equal(log.statusCode, 200)
  const refused = await open(machine, 'bob', `GET /v1/containers/${blue}/stats?stream=true`)
  assert.equal(refused.statusCode, 503)
  assert.match(await textOf(refused), /At most 1 streams can be open at once/)
})

test('an answer that goes on is not subject to the deadline of a request', async (t) => {
  const machine = await machineWith(t, { requestTimeoutMs: 500 })
  const uuid = await running(machine, 'alice')
  const stats = await open(machine, 'alice', `GET /v1/containers/${uuid}/stats?stream=true`)
  const begun = performance.now()
  for await (const _ of stats) if (performance.now() - begun > 1_500) break
  assert.ok(performance.now() - begun > 1_500, 'it ended before')
})
