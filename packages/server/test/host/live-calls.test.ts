/** Looking into containers, and making what they use, through a real service on a real engine. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pack } from 'tar-stream'
import { OBEDIENT, type ApiClient } from '../support/api-client.ts'
import { until } from '../support/host-fixture.ts'
import { refusedWith, Terminal } from '../support/terminal.ts'
import { deploymentOf } from '../support/test-engine.ts'
import { ZundProcess } from '../support/zund-process.ts'

let zund: ZundProcess
let client: ApiClient
let box = ''

before(async () => {
  zund = await ZundProcess.start()
  client = await zund.client()
  box = (await client.run({ name: 'box', command: ['sh'], interactive: true, tty: true, nets: [] })).uuid
})
after(() => zund.destroy())

async function execute(command: unknown, query = ''): Promise<{ output: string; exit_code: number | null }> {
  return await client.expect(200, 'POST', `/v1/containers/${box}/execute${query}`, { body: { command } })
}

async function refused(method: string, path: string, body?: object): Promise<{ status: number; title: string }> {
  const { status, body: answer } = await client.call(method, path, body === undefined ? {} : { body })
  return { status, title: (answer as { errors: { title: string }[] }).errors[0]?.title ?? '' }
}

test('a command runs without a shell and tells its output and exit code', async () => {
  assert.deepEqual(await execute('echo "$HOME; id"'), {
    output: '$HOME; id\n',
    exit_code: 0,
    exec_id: null,
    proxy_url: null,
  })
  assert.equal((await execute(['sh', '-c', 'exit 7'])).exit_code, 7)
  const missing = await execute('/no/such/program')
  assert.ok(missing.exit_code !== null && missing.exit_code >= 126)
  assert.match(missing.output, /no such file|not found/i)
})

test('a command that takes too long is a 409, and the next one works', async () => {
  const { status, title } = await refused('POST', `/v1/containers/${box}/execute`, { command: 'sleep 30' })
  assert.equal(status, 409)
  assert.match(title, /did not end within 5/)
  assert.equal((await execute('true')).exit_code, 0)
})

test('output without an end is cut, and the service lives on', async () => {
  const { output, exit_code } = await execute('yes')
  assert.equal(exit_code, null)
  assert.ok(output.length < 20_000_000, `${output.length} bytes`)
  assert.match(output.slice(-100), /cut here/)
})

test('logs come whole, by lines, by time, and with bytes that are no text replaced', async () => {
  const { uuid } = await client.run({
    command: [
      'sh',
      '-c',
      'echo one; echo two >&2; printf "\\377\\n"; trap "exit 0" TERM; while :; do sleep 0.05; done',
    ],
  })
  const logs = (query: string): Promise<string> => client.expect(200, 'GET', `/v1/containers/${uuid}/logs${query}`)
  await until('all is written', async () => (await logs('')).split('\n').length > 3)
  assert.deepEqual((await logs('')).split('\n').toSorted(), ['', 'one', 'two', '\ufffd'].toSorted())
  assert.match(await logs('?tail=1'), /^[^\n]+\n$/)
  assert.equal(await logs('?tail=0'), '')
  assert.equal(await logs('?stderr=false'), 'one\n\ufffd\n')
  assert.equal(await logs('?stdout=false'), 'two\n')
  assert.equal((await logs('?stdout=false&stderr=false')).length, (await logs('')).length)
  assert.equal((await logs('?since=0')).length, (await logs('')).length)
  assert.equal(await logs(`?since=${Math.ceil(Date.now() / 1000) + 100}`), '')
  assert.match(await logs('?since=2020-01-01+00:00:00,000&timestamps=true'), /^\d{4}-\d\d-\d\dT/)
  await client.delete(uuid)
})

test('top and stats show the container as the engine sees it', async () => {
  const top = await client.expect<{ Titles: string[]; Processes: string[][] }>(200, 'GET', `/v1/containers/${box}/top`)
  assert.ok(top.Titles.includes('CMD'))
  assert.ok(top.Processes.some((row) => row.at(-1) === 'sh'))
  const bad = await refused('GET', `/v1/containers/${box}/top?ps_args=--bogus`)
  assert.equal(bad.status, 400)
  assert.match(bad.title, /ps_args/)
  const stats = await client.expect<Record<string, number>>(200, 'GET', `/v1/containers/${box}/stats`)
  assert.equal(stats['MEM LIMIT(MiB)'], 512)
  assert.ok((stats['MEM USAGE(MiB)'] ?? 0) > 0)
  assert.match(String(stats['NET I/O(B)']), /^\d+\/\d+$/)
})

test('files go in and come out as tar archives', async () => {
  const tar = pack()
  tar.entry({ name: 'greeting' }, 'h\u00e9llo')
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  const data = Buffer.concat(chunks).toString('base64')
  const put = `/v1/containers/${box}/put_archive?path=`
  assert.equal(await client.expect(200, 'POST', `${put}/tmp`, { body: { data } }), null)
  assert.equal((await execute('cat /tmp/greeting')).output, 'h\u00e9llo')
  const got = await client.expect<{ data: string; stat: { name: string; size: number } }>(
    200,
    'GET',
    `/v1/containers/${box}/get_archive?path=/tmp/greeting`,
  )
  assert.deepEqual([got.stat.name, got.stat.size], ['greeting', 6])
  assert.match(Buffer.from(got.data, 'base64').toString(), /h\u00e9llo/)

  const junk = Buffer.from('no archive').toString('base64')
  for (const [path, body] of [
    [`${put}/no/such/directory`, { data }],
    [`${put}/tmp/greeting`, { data }],
    [`${put}/tmp`, { data: junk }],
    [`${put}/${'x'.repeat(300)}`, { data }],
  ] as const) {
    const { status, title } = await refused('POST', path, body)
    assert.equal(status, 400, title)
    assert.doesNotMatch(title, /overlay|docker/)
  }
  for (const path of ['/no/such/file', '/tmp/greeting/deeper', `/${'x'.repeat(300)}`]) {
    const { status, title } = await refused('GET', `/v1/containers/${box}/get_archive?path=${path}`)
    assert.equal(status, 400, title)
    assert.doesNotMatch(title, /overlay|docker/)
  }
})

test('a terminal opens at the URL of attach, and of an exec that was prepared', async () => {
  const url = await client.expect<string>(200, 'GET', `/v1/containers/${box}/attach`)
  const newer = await client.expect<string>(200, 'GET', `/v1/containers/${box}/attach`)
  assert.equal(await refusedWith(url), 403)
  const attached = await Terminal.open(newer)
  await client.expect(200, 'POST', `/v1/containers/${box}/resize?w=90&h=20`)
  attached.type('stty size\n')
  await attached.see(/20 90/)
  attached.ws.close()

  const { exec_id, proxy_url } = await client.expect<{ exec_id: string; proxy_url: string }>(
    200,
    'POST',
    `/v1/containers/${box}/execute?command=%22sh%22&interactive=True&run=False`,
  )
  const early = await refused('POST', `/v1/containers/${box}/execute_resize?exec_id=${exec_id}&w=90&h=20`)
  assert.equal(early.status, 400)
  const shell = await Terminal.open(proxy_url)
  await client.expect(200, 'POST', `/v1/containers/${box}/execute_resize?exec_id=${exec_id}&w=91&h=21`)
  shell.type('stty size; exit\n')
  assert.equal((await shell.closed).code, 1000)
  assert.match(shell.text, /21 91/)
  const late = await refused('POST', `/v1/containers/${box}/execute_resize?exec_id=${exec_id}&w=90&h=20`)
  assert.equal(late.status, 400)
})

test('a second network and a volume are made, used, and leave nothing on the host', async () => {
  const network = await client.expect<{ uuid: string }>(201, 'POST', '/v1/local/networks', { body: { name: 'back' } })
  const volume = await client.expect<{ uuid: string }>(201, 'POST', '/v1/local/volumes', {
    body: { name: 'data', size: 1 },
  })
  const use = {
    command: OBEDIENT,
    nets: [{ network: 'back' }],
    mounts: [{ source: 'data', destination: '/data' }],
  }
  const first = await client.run(use)
  const write = { body: { command: ['sh', '-c', 'echo kept > /data/file'] } }
  await client.expect(200, 'POST', `/v1/containers/${first.uuid}/execute`, write)
  await client.delete(first.uuid)
  const second = await client.run(use)
  const read = { body: { command: 'cat /data/file' } }
  const { output } = await client.expect<{ output: string }>(200, 'POST', `/v1/containers/${second.uuid}/execute`, read)
  assert.equal(output, 'kept\n')
  assert.equal((await refused('DELETE', '/v1/local/volumes/data')).status, 409)
  assert.equal((await refused('DELETE', '/v1/local/networks/back')).status, 409)
  await client.delete(second.uuid)

  const image = join(zund.stateDir, 'volumes', 'volumes', `${volume.uuid}.img`)
  const networks = (): Promise<string[]> => zund.engine.networks(deploymentOf(join(zund.stateDir, 'zund.sqlite')))
  assert.equal(existsSync(image), true)
  assert.equal((await networks()).includes(network.uuid), true)
  await client.expect(204, 'DELETE', '/v1/local/volumes/data')
  await client.expect(204, 'DELETE', '/v1/local/networks/back')
  for (const path of [`networks/${network.uuid}`, `volumes/${volume.uuid}`]) {
    await until(`${path} is gone`, async () => (await client.call('GET', `/v1/local/${path}`)).status === 404)
  }
  assert.equal(existsSync(image), false)
  assert.equal((await networks()).includes(network.uuid), false)
})

test('a deletion that the death of the service cut short is finished by its next life', async () => {
  await client.expect(201, 'POST', '/v1/local/networks', { body: { name: 'late' } })
  const user = await client.run({ command: OBEDIENT, nets: [{ network: 'late' }] })
  await client.delete(user.uuid)
  await zund.stop()
  const killFile = join(zund.stateDir, 'kill-at')
  writeFileSync(killFile, 'dispose:network:applied')
  await zund.up({ ZUND_KILL_FILE: killFile })
  client = await zund.client()
  const { uuid } = await client.expect<{ uuid: string }>(200, 'GET', '/v1/local/networks/late')
  await client.expect(204, 'DELETE', '/v1/local/networks/late')
  await zund.ended()
  await zund.up()
  client = await zund.client()
  await until('it is gone', async () => (await client.call('GET', `/v1/local/networks/${uuid}`)).status === 404)
})

test('a network that somebody took from the engine is made again for the container that starts on it', async () => {
  await client.expect(201, 'POST', '/v1/local/networks', { body: { name: 'taken' } })
  const { uuid, addresses } = await client.run({ command: OBEDIENT, nets: [{ network: 'taken' }] })
  const [network] = Object.keys(addresses ?? {})
  assert.ok(network !== undefined)
  for (const verb of ['start', 'reboot?timeout=0']) {
    await client.expect(202, 'POST', `/v1/containers/${uuid}/stop?timeout=0`)
    await client.waitFor(uuid, (c) => c.status === 'Stopped' && c.task_state === null)
    await zund.engine.api('DELETE', `/networks/${network}`)
    await client.expect(202, 'POST', `/v1/containers/${uuid}/${verb}`)
    const again = await client.waitFor(uuid, (c) => c.task_state === null && ['Running', 'Error'].includes(c.status))
    assert.equal(again.status, 'Running', again.status_reason ?? '')
    assert.deepEqual(again.addresses, addresses)
  }
  await client.delete(uuid)
})
