/** Terminals of a whole service, which is a process of its own: many at once, much through one, and the end of the service. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { ApiClient } from '../support/api-client.ts'
import { Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

const MIB = 1024 * 1024
const CONTAINERS = 10
const TERMINALS = 500

let zund: ZundProcess
let api: ApiClient
before(async () => {
  zund = await ZundProcess.start()
  api = (await zund.client()).unchecked()
})
after(async () => await zund.destroy())

const CAT = { command: ['cat'], interactive: true, tty: true, memory: 32, cpu: 0.1 }

async function attach(uuid: string): Promise<Terminal> {
  return await Terminal.open(await api.expect<string>(200, 'GET', `/v1/containers/${uuid}/attach`))
}

async function execute(uuid: string, command: string): Promise<Terminal> {
  const query = new URLSearchParams({ command, run: 'false', interactive: 'true' })
  const path = `/v1/containers/${uuid}/execute?${query.toString()}`
  return await Terminal.open((await api.expect<{ proxy_url: string }>(200, 'POST', path)).proxy_url)
}

test('five hundred terminals at once: each works, in little memory, and all are let go', async (t) => {
  const uuids: string[] = []
  for (let n = 0; n < CONTAINERS; n += 1) {
    const { uuid } = await api.run(CAT)
    uuids.push(uuid)
  }
  t.after(async () => {
    await Promise.all(uuids.map(async (uuid) => await api.delete(uuid)))
  })
  // What the first terminals of a process take does not depend on how many there are.
  for (const uuid of uuids) {
    const first = await attach(uuid)
    first.type('warm\n')
    await first.see(/warm\r\n/)
    first.ws.close()
    await first.closed
  }
  const [memory, sockets] = [zund.residentBytes(), zund.openSockets()]
  // One after the other for each container: a user's new ticket for it takes the place of the one before.
  const terminals = await Promise.all(
    uuids.map(async (uuid) => {
      const ofOne: Terminal[] = []
      while (ofOne.length < TERMINALS / CONTAINERS) ofOne.push(await attach(uuid))
      return ofOne
    }),
  )
  assert.ok(zund.openSockets() >= sockets + 2 * TERMINALS)
  for (const [container, ofOne] of terminals.entries()) {
    for (const [n, terminal] of ofOne.entries()) terminal.type(`<${container}.${n}>\n`)
  }
  // Whatever is typed into one shows in all terminals of the same container, and in no other.
  for (const [container, ofOne] of terminals.entries()) {
    for (const terminal of ofOne) {
      for (const n of ofOne.keys()) await terminal.see(new RegExp(`<${container}\\.${n}>`))
      assert.doesNotMatch(terminal.text, new RegExp(`<(?!${container}\\.)`))
    }
  }
  const perTerminal = (zund.residentBytes() - memory) / TERMINALS
  assert.ok(perTerminal < 0.25 * MIB, `a terminal takes ${Math.round(perTerminal / 1024)} KiB`)
  for (const terminal of terminals.flat()) terminal.ws.close()
  await Promise.all(terminals.flat().map(async ({ closed }) => await closed))
  // What is left are connections of HTTP that wait for further requests.
  await until(
    'all connections are closed, those to the engine too',
    async () => zund.openSockets() < sockets + TERMINALS / 10,
  )
})

test('a hundred megabytes through a terminal: all of it, in order, in little memory, while another user reads nothing', async (t) => {
  const { uuid } = await api.run()
  t.after(() => api.delete(uuid))
  const stuck = await execute(uuid, 'yes')
  stuck.keep = false
  await until('it floods', async () => stuck.bytes > 0)
  stuck.ws.pause()

  const lines = 12_500_000
  const memory = zund.residentBytes()
  let most = 0
  const seen = createHash('sha256')
  // Line by line, the kernel takes minutes for it; `cat` writes large pieces.
  const terminal = await execute(uuid, `sh -c "seq ${lines} > /numbers; stty raw; cat /numbers"`)
  terminal.keep = false
  terminal.ws.on('message', (data: Buffer) => {
    seen.update(data)
    if (terminal.bytes % 64 === 0) most = Math.max(most, zund.residentBytes() - memory)
  })
  assert.equal((await terminal.closed).code, 1000)
  assert.ok(terminal.bytes > 100e6, `${terminal.bytes} bytes`)
  const digest = seen.digest('hex')
  assert.equal(digest, digestOfNumbers(lines))
  most = Math.max(most, zund.residentBytes() - memory)
  assert.ok(most < 96 * MIB, `${Math.round(most / MIB)} MiB were taken for it`)

  const read = stuck.bytes
  stuck.ws.resume()
  await until('the flood goes on', async () => stuck.bytes > read)
  stuck.type('\u0003')
  assert.equal((await stuck.closed).code, 1000)
})

/** Of the numbers from 1, a line each. */
function digestOfNumbers(last: number): string {
  const hash = createHash('sha256')
  let text = ''
  for (let n = 1; n <= last; n += 1) {
    text += `${n}\n`
    if (n % 10_000 === 0) {
      hash.update(text)
      text = ''
    }
  }
  return hash.update(text).digest('hex')
}

test('a service that stops says goodbye to its terminals; the next one finds the program where it was', async (t) => {
  const { uuid } = await api.run({ command: ['sh'], interactive: true, tty: true })
  t.after(() => api.delete(uuid))
  const first = await attach(uuid)
  first.type('x=kept\n')
  await first.see(/x=kept\r\n/)
  await zund.stop()
  assert.deepEqual(await first.closed, { code: 1001, reason: 'The proxy is going away' })
  await zund.up()
  const second = await attach(uuid)
  second.type('echo "<$x>"\n')
  await second.see(/<kept>/)
  await zund.kill()
  assert.equal((await second.closed).code, 1006)
  await zund.up()
  const third = await attach(uuid)
  third.type('echo "<<$x>>"\n')
  await third.see(/<<kept>>/)
  third.ws.close()
})
