/** Each role in a process of its own, on one machine: what works through them, and what becomes of the work when they die. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { OBEDIENT, type ApiClient } from '../support/api-client.ts'
import { RoleDeployment } from '../support/role-deployment.ts'
import type { RoleProcess } from '../support/role-process.ts'
import { deploymentOf, TestEngine } from '../support/test-engine.ts'
import { Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'

const HOST = 'host-a'
const engine = new TestEngine()
let on: RoleDeployment
let api: RoleProcess
let conductor: RoleProcess
let compute: RoleProcess
let wsproxy: RoleProcess
let client: ApiClient

before(async () => {
  on = await RoleDeployment.make()
  const config = on.configure('controller', { zund: { conductor_in_api: false } })
  const host = await on.host(HOST, { conf: { DEFAULT: { debug: true }, zund: { registry_allow_loopback: false } } })
  api = on.role('api', config)
  conductor = on.role('conductor', config)
  wsproxy = on.role('wsproxy', config)
  compute = host.process
  // The host first: it waits for the others.
  await compute.start()
  await compute.says(/the control plane cannot be reached/)
  await Promise.all([api, conductor, wsproxy].map((role) => role.start()))
  await compute.says(/ working /)
  client = await on.client()
})
after(() => on.destroy())

async function engineContainers(): Promise<string[]> {
  return (await engine.containers(deploymentOf(on.database))).map(({ name }) => name)
}

test('a container is made, looked into, talked to and deleted', async () => {
  const { uuid } = await client.run({ name: 'talk', command: ['sh', '-c', `echo begun; ${OBEDIENT[2]}`] })
  await until('its output is there', async () => {
    const { text } = await client.call('GET', `/v1/containers/${uuid}/logs`)
    return text.includes('begun')
  })
  const exec = await client.expect<{ output: string; exit_code: number }>(
    200,
    'POST',
    `/v1/containers/${uuid}/execute?command=${encodeURIComponent("sh -c 'echo out; exit 3'")}&run=true&interactive=false`,
  )
  assert.deepEqual([exec.output, exec.exit_code], ['out\n', 3])
  const top = await client.expect<{ Processes: string[][] }>(200, 'GET', `/v1/containers/${uuid}/top`)
  assert.match(top.Processes.flat().join(' '), /sleep 1000/)
  await client.expect(200, 'GET', `/v1/containers/${uuid}/stats`)
  const missing = await client.call('GET', `/v1/containers/${uuid}/get_archive?path=/nowhere`)
  assert.equal(missing.status, 400, missing.text)
  await client.delete(uuid)
  assert.deepEqual(await engineContainers(), [])
})

test('a terminal at the proxy is one to the container, and its ticket is good once', async () => {
  const { uuid } = await client.run({ name: 'terminal', interactive: true, tty: true, command: ['sh'] })
  const url = await client.expect<string>(200, 'GET', `/v1/containers/${uuid}/attach`)
  assert.equal(new URL(url).port, String(on.terminalPort))
  const terminal = await Terminal.open(url)
  terminal.type('echo $((6*7))\n')
  await terminal.see(/42/)
  terminal.type('exit\n')
  assert.equal((await terminal.closed).code, 1000)
  await assert.rejects(Terminal.open(url))
  await client.delete(uuid)
})

test('lines of a request and of its operation are found by its ids, in the log of each process', async () => {
  const sent = 'req-0e7a2f5c-6bfd-4b63-8c46-0123456789ab'
  const body = {
    name: 'logged',
    image: 'busybox',
    image_pull_policy: 'never',
    tty: true,
    interactive: true,
    command: ['sh'],
  }
  const answer = await client.call('POST', '/v1/containers?run=true', { body })
  const { uuid } = answer.body as { uuid: string }
  const { project_id: project, user_id: user } = await client.waitFor(uuid, ({ status }) => status === 'Running')
  const asked = String(answer.headers.get('x-openstack-request-id'))
  const its = `\\[None ${asked} ${String(user)} ${String(project)} - - - -\\]`
  await compute.says(new RegExp(`${its} step finished .*step=createContainer`))
  await api.says(new RegExp(`${its} operation ended .*verb=create end=succeeded`))
  const granted = await client.call('GET', `/v1/containers/${uuid}/attach`, {
    headers: { 'x-openstack-request-id': sent },
  })
  const second = String(granted.headers.get('x-openstack-request-id'))
  await api.says(
    new RegExp(`\\[${sent} ${second} ${String(user)} ${String(project)} - - \\w+ \\w+\\] a terminal was granted`),
  )
  const terminal = await Terminal.open(granted.body as string)
  await wsproxy.says(new RegExp(`\\[None None ${String(user)} ${String(project)} - - - -\\] terminal opened`))
  terminal.type('exit\n')
  await terminal.closed
  await client.delete(uuid)
})

test('a log that is followed ends with its container', async () => {
  const { uuid } = await client.run({
    name: 'follow',
    command: ['sh', '-c', 'for n in 1 2 3; do echo $n; sleep 0.2; done'],
  })
  const answer = await client.call('GET', `/v1/containers/${uuid}/logs?follow=true`)
  assert.equal(answer.status, 200, answer.text)
  assert.match(answer.text, /1[^]*2[^]*3/)
  await client.delete(uuid)
})

/** Accepted while all is well; the role dies right after. */
async function survives(role: () => RoleProcess, restart: () => Promise<void>): Promise<void> {
  const names = Array.from({ length: 4 }, (_, n) => `life-${n}`)
  const made = await Promise.all(
    names.map(async (name) =>
      client.expect<{ uuid: string }>(202, 'POST', '/v1/containers?run=true', {
        body: { name, image: 'busybox', image_pull_policy: 'never', command: OBEDIENT },
      }),
    ),
  )
  await role().kill()
  await restart()
  for (const { uuid } of made) await client.waitFor(uuid, ({ status }) => status === 'Running')
  assert.deepEqual((await engineContainers()).toSorted(), made.map(({ uuid }) => `zun-${uuid}`).toSorted())
  for (const { uuid } of made) await client.expect(204, 'DELETE', `/v1/containers/${uuid}?stop=true`)
  await role().kill()
  await restart()
  for (const { uuid } of made) await client.waitGone(uuid)
  assert.deepEqual(await engineContainers(), [])
}

test('compute killed in the middle of creates and deletes: all end, nothing twice', async () => {
  await survives(
    () => compute,
    async () => await compute.start(),
  )
})

test('the API killed in the middle of creates and deletes: all end, nothing twice', async () => {
  await survives(
    () => api,
    async () => await api.start(),
  )
})

test('conductor and proxy killed: nobody who works notices, and both are there again', async () => {
  await survives(
    () => conductor,
    async () => await conductor.start(),
  )
  await wsproxy.kill()
  await wsproxy.start()
  const { uuid } = await client.run({ name: 'again', interactive: true, tty: true, command: ['sh'] })
  const terminal = await Terminal.open(await client.expect<string>(200, 'GET', `/v1/containers/${uuid}/attach`))
  terminal.type('echo $((6*7))\n')
  await terminal.see(/42/)
  terminal.type('exit\n')
  await client.delete(uuid)
})

test('while the control plane is away containers run on, and what happens to them is told when it is back', async () => {
  const { uuid } = await client.run({ name: 'alone' })
  assert.equal(await api.stop(), 0)
  await until('compute has noticed', async () => compute.said.split('the control plane cannot be reached').length > 1)
  await engine.kill(`zun-${uuid}`)
  await api.start()
  await compute.says(/the control plane is reached again/)
  await client.waitFor(uuid, ({ status }) => status === 'Stopped')
  await client.expect(202, 'POST', `/v1/containers/${uuid}/start`)
  await client.waitFor(uuid, ({ status }) => status === 'Running')
  await client.delete(uuid)
})

test('a host that is away is said to be so, and its live calls are refused, not waited for', async () => {
  const { uuid } = await client.run({ name: 'unreached' })
  await compute.kill()
  const { status, text } = await client.call('GET', `/v1/containers/${uuid}/top`)
  assert.equal(status, 503, text)
  await compute.start()
  await until('it answers again', async () => (await client.call('GET', `/v1/containers/${uuid}/top`)).status === 200)
  await client.delete(uuid)
})

test('work that is no operation reaches its host, too', async () => {
  const admin = await on.client('zund-admin')
  await admin.expect(202, 'POST', '/v1/images', { body: { repo: '127.0.0.1:1/nothing', host: HOST } })
  await compute.says(/image failed .*image=127\.0\.0\.1:1\/nothing/)
})

test('a renewed certificate is taken up without a restart', async () => {
  const { uuid } = await client.run({ name: 'renewed' })
  const [computeBefore, apiBefore] = [compute.pid, api.pid]
  await on.must('certificates', 'renew', '--directory', on.path('tls'), '--host', HOST)
  await on.must('certificates', 'renew', '--directory', on.path('tls'))
  await compute.says(/the certificate was read again/)
  await api.says(/the certificate was read again/)
  const { status } = await client.call('GET', `/v1/containers/${uuid}/top`)
  assert.equal(status, 200)
  await client.delete(uuid)
  assert.deepEqual([compute.pid, api.pid], [computeBefore, apiBefore])
})
