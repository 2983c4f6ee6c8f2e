import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { closeAll } from '../support/close-all.ts'
import { SimMachine } from '../support/sim-machine.ts'
import { requestText } from './support/raw.ts'
import { runs } from './support/seed.ts'

let machine: SimMachine
let uuid = ''
before(async () => {
  machine = await SimMachine.start()
  const body = { image: 'busybox', command: ['serve'], interactive: true, memory: 64 }
  const made = await machine.ask('alice', 'POST', '/v1/containers?run=true', body)
  uuid = (JSON.parse(made.body) as { uuid: string }).uuid
  await machine.settled()
})
after(() =>
  closeAll(
    () => machine.clear(),
    async () => assert.deepEqual(await machine.leftovers(), []),
    () => machine.stop(),
  ),
)

/** A frame as RFC 6455 has it, with whatever is wanted in each of its places. */
const frame = fc
  .record({
    first: fc.integer({ min: 0, max: 255 }),
    masked: fc.boolean(),
    length: fc.constantFrom<'right' | 'short' | 'long' | 'huge' | 'beyond'>('right', 'short', 'long', 'huge', 'beyond'),
    mask: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    payload: fc.uint8Array({ maxLength: 100 }),
  })
  .map(({ first, masked, length, mask, payload }) => {
    const bit = masked ? 0x80 : 0
    const size = payload.length + { right: 0, short: -1, long: 1, huge: 0, beyond: 0 }[length]
    const announced =
      length === 'huge'
        ? [bit | 127, 0, 0, 0, 1, 0, 0, 0, 0]
        : length === 'beyond'
          ? [bit | 127, 255, 255, 255, 255, 255, 255, 255, 255]
          : [bit | Math.max(0, size)]
    return Buffer.from([first, ...announced, ...(masked ? mask : []), ...payload])
  })

const bytes = fc.oneof(
  fc.array(frame, { minLength: 1, maxLength: 5 }).map((frames) => Buffer.concat(frames)),
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map((one) => Buffer.from(one)),
)

async function upgrade(protocol = 'binary'): Promise<ReturnType<typeof connect>> {
  const url = JSON.parse((await machine.ask('alice', 'GET', `/v1/containers/${uuid}/attach`)).body) as string
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': protocol,
  }
  const socket = connect(machine.terminalPort, '127.0.0.1')
  socket.on('error', () => undefined).write(requestText('GET', `/${new URL(url).search}`, headers, undefined))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString('latin1'), /^HTTP\/1.1 101 /)
  return socket
}

test('whatever is sent into an open terminal, it ends with it, and nothing else does', async () => {
  await fc.assert(
    fc.asyncProperty(
      bytes,
      fc.boolean(),
      fc.constantFrom('binary', 'v1.zund.stream'),
      async (sent, resets, protocol) => {
        const socket = await upgrade(protocol)
        const closed = once(socket, 'close')
        socket.resume().write(sent)
        if (resets) socket.resetAndDestroy()
        else socket.end()
        await closed
      },
    ),
    runs(60),
  )
  assert.deepEqual(machine.errors, [])
  const other = await upgrade()
  // A masked `hi`, which comes back as it is.
  other.write(Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
  const [answer] = (await once(other, 'data')) as [Buffer]
  assert.deepEqual(answer, Buffer.from([0x82, 2, 0x68, 0x69]))
  other.destroy()
})
