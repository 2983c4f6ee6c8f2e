import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { outputFrame } from '../../lib/output-frames.ts'
import { chooseProtocol } from './choose-protocol.ts'
import { StreamProtocol, WrongMessage } from './stream-protocol.ts'

const END = { ok: (text: string) => Buffer.concat([Buffer.of(3), Buffer.from(text)]) }

test('it is spoken to whoever offers it, and to nobody else', () => {
  assert.equal(chooseProtocol(new Set(['binary', 'base64'])), 'binary')
  assert.equal(chooseProtocol(new Set(['binary', 'v1.zund.stream'])), 'v1.zund.stream')
  assert.equal(chooseProtocol(new Set(['v1.zund.stream'])), 'v1.zund.stream')
  assert.equal(chooseProtocol(new Set(['base64'])), false)
})

test('outputs are told apart, and with a terminal there is one', () => {
  const frames = Buffer.concat([outputFrame(1, Buffer.from('out')), outputFrame(2, Buffer.from('err'))])
  assert.deepEqual(new StreamProtocol(false).output(frames), [Buffer.from('\x01out'), Buffer.from('\x02err')])
  assert.deepEqual(new StreamProtocol(true).output(Buffer.from('\xff', 'latin1')), [Buffer.from([1, 0xff])])
})

test('the end has the exit code, or why there is none', async () => {
  const protocol = new StreamProtocol(true)
  assert.deepEqual(await protocol.farewell(async () => 7), [END.ok('{"exit_code":7}')])
  assert.deepEqual(await protocol.farewell(async () => null), [
    END.ok('{"exit_code":null,"reason":"The program goes on."}'),
  ])
  assert.deepEqual(protocol.broken(), [END.ok('{"exit_code":null,"reason":"The connection to the container broke."}')])
})

test('a user types, tells a size, and ends the input', () => {
  const protocol = new StreamProtocol(true)
  const say = (channel: number, payload = '') => protocol.input(Buffer.from([channel, ...Buffer.from(payload)]), true)
  assert.deepEqual(say(0, 'ls\n'), { kind: 'input', bytes: Buffer.from('ls\n') })
  assert.deepEqual(say(4, '{"width":80,"height":24}'), { kind: 'size', columns: 80, rows: 24 })
  assert.deepEqual(say(5), { kind: 'end of input' })
})

test('whatever else is sent is refused in words that fit into a close', () => {
  const protocol = new StreamProtocol(true)
  const refusal = (data: Buffer, isBinary: boolean): string => {
    try {
      protocol.input(data, isBinary)
      return ''
    } catch (error) {
      assert.ok(error instanceof WrongMessage, String(error))
      assert.ok(Buffer.byteLength(error.message) <= 123, error.message)
      return error.message
    }
  }
  assert.match(refusal(Buffer.from('ls'), false), /binary/)
  assert.match(refusal(Buffer.alloc(0), true), /channel/)
  assert.match(refusal(Buffer.of(1), true), /Channel 1/)
  for (const size of ['', 'null', '80x24', '{"width":80}', '{"width":0,"height":1}', '{"width":1.5,"height":1}']) {
    assert.match(refusal(Buffer.from([4, ...Buffer.from(size)]), true), /width/)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isBinary) => {
      refusal(Buffer.from(bytes), isBinary)
    }),
  )
})
