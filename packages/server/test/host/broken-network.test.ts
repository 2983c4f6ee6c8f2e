/** What becomes of streams when the network between user and service breaks, stalls, or is closed on one side. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test, type TestContext } from 'node:test'
import type { ApiClient } from '../support/api-client.ts'
import { BrokenNetwork } from '../support/broken-network.ts'
import { Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

const MIB = 1024 * 1024
/** Connections of HTTP that wait for further requests come and go; those of a stream are more than that. */
const REST = 4

let zund: ZundProcess
let client: ApiClient
let talker = ''
before(async () => {
  zund = await ZundProcess.start({ conf: '[zund]\nlog_max_size = 1g\n' })
  client = (await zund.client()).unchecked()
  const command = ['sh', '-c', 'while sleep 0.05; do echo tick; done']
  talker = (await client.run({ name: 'talker', command, nets: [] })).uuid
})
after(() => zund.destroy())

/** A request as bytes, over a connection of its own. */
async function send(port: number, line: string, headers: readonly string[] = []): Promise<Reader> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  const head = [`${line} HTTP/1.1`, 'Host: zund', `X-Auth-Token: ${client.token}`, ...headers]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  return new Reader(socket)
}

class Reader {
  readonly socket: Socket
  text = ''
  bytes = 0
  isClosed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.bytes += chunk.length
      this.text = (this.text + chunk.toString('latin1')).slice(-4_000)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => (this.isClosed = true))
  }
}

async function network(t: TestContext, port = zund.apiPort): Promise<BrokenNetwork> {
  const made = await BrokenNetwork.to(port)
  t.after(() => made.close())
  return made
}

async function isAlive(): Promise<void> {
  assert.equal((await client.show(talker)).status, 'Running')
}

const FOLLOW = (): string => `GET /v1/containers/${talker}/logs?follow=true&tail=1`

test('a followed log whose network is cut is let go, with its connection to the engine', async (t) => {
  const way = await network(t)
  await isAlive()
  const atFirst = zund.openSockets()
  const readers = await Promise.all(Array.from({ length: 20 }, async () => await send(way.port, FOLLOW())))
  for (const reader of readers) await until('it comes', async () => reader.text.includes('tick'))
  assert.ok(zund.openSockets() >= atFirst + 2 * readers.length)
  way.cut()
  await until('all is closed', async () => zund.openSockets() <= atFirst + REST)
  await isAlive()
})

test('who closes his side while he follows has gone, and is let go', async (t) => {
  const way = await network(t)
  await isAlive()
  const atFirst = zund.openSockets()
  const readers = await Promise.all(Array.from({ length: 10 }, async () => await send(way.port, FOLLOW())))
  for (const reader of readers) await until('it comes', async () => reader.text.includes('tick'))
  for (const { socket } of readers) socket.end()
  for (const reader of readers) await until('it is closed', async () => reader.isClosed)
  await until('all is closed', async () => zund.openSockets() <= atFirst + REST)
  await isAlive()
})

test('a stalled network holds up nobody else, takes little memory, and loses nothing when it goes on', async (t) => {
  const size = 200 * MIB
  const script = `head -c ${size} /dev/zero > /big; touch /done; sleep 1000`
  const { uuid } = await client.run({ command: ['sh', '-c', script], nets: [] })
  t.after(() => client.delete(uuid))
  const ready = { command: "sh -c 'while [ ! -e /done ]; do sleep 0.1; done'" }
  await until('the file is there', async () => {
    return (await client.call('POST', `/v1/containers/${uuid}/execute`, { body: ready })).status === 200
  })
  const way = await network(t)
  const memory = zund.residentBytes()
  const reader = await send(way.port, `GET /v1/containers/${uuid}/get_archive?path=/big`, ['Accept: application/x-tar'])
  await until('it comes', async () => reader.bytes > MIB)
  way.stall()
  const others = await send(zund.apiPort, FOLLOW())
  await until('another log goes on', async () => others.bytes > 2_000)
  others.socket.destroy()
  await isAlive()
  assert.ok(zund.residentBytes() - memory < 64 * MIB, `${zund.residentBytes() - memory} bytes were taken`)
  way.goOn()
  await until('all of it comes', async () => reader.bytes > size)
  await until('it ends in order', async () => reader.text.endsWith('0\r\n\r\n'))
  reader.socket.destroy()
})

test('an upload whose network is cut ends; what came of it is there, and the next one works', async (t) => {
  const way = await network(t)
  await isAlive()
  const atFirst = zund.openSockets()
  const path = `/v1/containers/${talker}/put_archive?path=/tmp`
  const headers = ['Content-Type: application/x-tar', 'Transfer-Encoding: chunked', 'Expect: 100-continue']
  const upload = await send(way.port, `PUT ${path}`, headers)
  await until('it may begin', async () => upload.text.includes('100 Continue'))
  upload.socket.write(`400\r\n${'\0'.repeat(1024)}\r\n`)
  way.cut()
  await until('all is closed', async () => zund.openSockets() <= atFirst + REST)
  const tar = Buffer.alloc(1024)
  const again = await send(zund.apiPort, `PUT ${path}`, [headers[0] ?? '', `Content-Length: ${tar.length}`])
  again.socket.write(tar)
  await until('it is taken', async () => /^HTTP\/1.1 200 /m.test(again.text))
  again.socket.destroy()
})

for (const protocol of ['binary', 'v1.zund.stream'] as const) {
  test(`a terminal (${protocol}) whose network is cut is let go, and its program goes on`, async (t) => {
    const way = await network(t, zund.terminalPort)
    const query = new URLSearchParams({ command: 'sh', run: 'false', interactive: 'true' })
    const open = async (port: number): Promise<Terminal> => {
      const path = `/v1/containers/${talker}/execute?${query.toString()}`
      const { proxy_url } = await client.expect<{ proxy_url: string }>(200, 'POST', path)
      return await Terminal.open(proxy_url.replace(/:\d+\//, `:${port}/`), [protocol])
    }
    const atFirst = zund.openSockets()
    const terminals: Terminal[] = []
    // In turn, since requests at once leave as many connections behind that wait for more.
    while (terminals.length < 10) terminals.push(await open(way.port))
    for (const terminal of terminals) await terminal.see(/# /)
    way.cut()
    for (const { closed } of terminals) assert.equal((await closed).code, 1006)
    await until('all is closed', async () => zund.openSockets() <= atFirst + REST)
    const other = await open(zund.terminalPort)
    await other.see(/# /)
    other.ws.close()
    await isAlive()
  })
}
