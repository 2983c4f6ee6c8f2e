/** `./zund up`, `down` and `status` as a user calls them, on the engine of the test run. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { processGone, said } from './checkout.ts'
import { Service } from './service.ts'

test('up serves, says how to use it, and keeps its secrets to their owner', async (t) => {
  const service = await Service.prepare(t)
  const up = await service.up()
  assert.equal(up.code, 0, up.complaints.join('\n'))
  assert.deepEqual(up.complaints, [])
  assert.match(up.out, new RegExp(`http://127\\.0\\.0\\.1:${service.apiPort}/v1$`, 'm'))
  assert.ok(up.out.includes(join(service.stateDir, 'clouds.yaml')), up.out)
  assert.equal(up.out.match(/^ +openstack /gm)?.length, 3)
  assert.equal(statSync(join(service.stateDir, 'clouds.yaml')).mode & 0o777, 0o600)
  assert.equal(statSync(service.stateDir).mode & 0o077, 0)

  const member = await service.client('zund')
  assert.equal((await member.call('GET', '/v1/containers')).status, 200)
  assert.equal((await member.call('GET', '/v1/hosts')).status, 403)
  const admin = await service.client('zund-admin')
  assert.equal((await admin.call('GET', '/v1/hosts')).status, 200)
})

test('a second up on the same state directory says that it runs already', async (t) => {
  const service = await Service.prepare(t)
  await service.up()
  const { pid } = service
  for (const more of [['--detach'], []]) {
    const second = await service.zund('up', more)
    assert.equal(second.code, 0)
    assert.match(second.out, /^zund runs already in .*\n$/)
  }
  assert.equal(service.pid, pid)
})

test('status shows roles, engine and counts, and by its exit status whether it runs', async (t) => {
  const service = await Service.prepare(t)
  await service.up()
  const running = await service.zund('status')
  assert.equal(running.code, 0)
  for (const line of [/^zund +running/m, /^api +up$/m, /^compute +up$/m, /^engine +\d/m, /^containers +none$/m]) {
    assert.match(running.out, line)
  }
  await service.zund('down')
  const stopped = await service.zund('status')
  assert.equal(stopped.code, 3)
  assert.match(stopped.out, /^zund +not running/m)
})

test('containers outlive down and kill -9, and the next up knows them; passwords stay', async (t) => {
  const service = await Service.prepare(t)
  await service.up()
  const first = service.read('clouds.yaml')
  const { uuid } = await (await service.client('zund')).run({ name: 'survivor' })

  const { pid } = service
  const down = await service.zund('down')
  assert.deepEqual({ code: down.code, complaints: down.complaints }, { code: 0, complaints: [] })
  await processGone(pid)
  assert.equal((await service.up()).code, 0)
  const after = await (await service.client('zund')).show('survivor')
  assert.deepEqual([after.uuid, after.status], [uuid, 'Running'])

  process.kill(service.pid, 'SIGKILL')
  assert.equal((await service.up()).code, 0)
  const client = await service.client('zund')
  assert.equal((await client.show('survivor')).status, 'Running')
  assert.equal(service.read('clouds.yaml'), first)
  await client.delete('survivor')
})

test('in the foreground it serves until Ctrl-C', async (t) => {
  const service = await Service.prepare(t)
  const child = service.start('up', service.ports)
  const ready = new Promise<void>((resolve) => {
    child.stdout?.on('data', (text: Buffer) => text.includes('zund is ready') && resolve())
  })
  const end = said(child)
  await Promise.race([ready, end])
  assert.equal((await (await service.client('zund')).call('GET', '/v1/containers')).status, 200)
  child.kill('SIGINT')
  const { code, complaints } = await end
  assert.deepEqual({ code, complaints }, { code: 0, complaints: [] })
})

test('down without anything to stop is no failure', async (t) => {
  const service = await Service.prepare(t)
  const { code, out, complaints } = await service.zund('down')
  assert.deepEqual({ code, complaints }, { code: 0, complaints: [] })
  assert.match(out, /^zund is not running in .*\n$/)
})

test('a port that is taken is one line that names it', async (t) => {
  for (const option of ['--api-port', '--wsproxy-port']) {
    const service = await Service.prepare(t)
    const port = option === '--api-port' ? service.apiPort : service.terminalPort
    const server = createTcpServer()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    t.after(() => server.close())
    const { code, complaints } = await service.up()
    assert.equal(code, 1)
    assert.equal(complaints.length, 1, complaints.join('\n'))
    assert.ok(complaints[0]?.includes(`port ${port}`), complaints[0])
    assert.ok(complaints[0]?.includes(option), complaints[0])
  }
})

test('a state directory that cannot be written is one line that names it', async (t) => {
  const service = await Service.prepare(t)
  for (const directory of ['/proc/zund', '/dev/null/zund']) {
    const { code, complaints } = await service.zund('up', ['--state-dir', directory])
    assert.equal(code, 1)
    assert.equal(complaints.length, 1, complaints.join('\n'))
    assert.ok(complaints[0]?.includes(directory), complaints[0])
  }
})

test('an engine that is too old is one line that says so', async (t) => {
  const service = await Service.prepare(t)
  const socket = await listening(t, (_request, response) => {
    response.setHeader('Api-Version', '1.30').end('OK')
  })
  const { code, complaints } = await service.zund('up', service.ports, { DOCKER_HOST: `unix://${socket}` })
  assert.equal(code, 1)
  assert.equal(complaints.length, 1, complaints.join('\n'))
  assert.match(complaints[0] ?? '', /1\.30.*1\.41/)
})

test('a value that cannot be is one line', async (t) => {
  const service = await Service.prepare(t)
  const { code, complaints } = await service.zund('up', ['--api-port', 'banana'])
  assert.equal(code, 1)
  assert.equal(complaints.length, 1, complaints.join('\n'))
  assert.match(complaints[0] ?? '', /banana/)
})

test('an unknown command is one line and exit status 2', async (t) => {
  const service = await Service.prepare(t)
  const { code, complaints } = await service.zund('fly')
  assert.equal(code, 2)
  assert.deepEqual(complaints, ["zund: there is no command 'fly'; see 'zund --help'"])
})

async function listening(t: TestContext, answer: RequestListener): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'zund-socket-'))
  const path = join(directory, 'engine.sock')
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
    rmSync(directory, { recursive: true, force: true })
  })
  return path
}
