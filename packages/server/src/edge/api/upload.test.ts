import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request, type ClientRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { ApiError, EngineUnavailable, InvalidInput } from '../../domain/errors.ts'
import { uploadOf } from './upload.ts'

/** An upload that has begun, from both ends. */
async function begun(t: TestContext, idleMs: number): Promise<{ client: ClientRequest; body: Readable }> {
  const { promise, resolve } = Promise.withResolvers<Readable>()
  const server = createServer((incoming, response) => resolve(uploadOf(incoming, response, idleMs)))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const client = request({ port, host: '127.0.0.1', method: 'PUT', agent: false })
  client.on('error', () => undefined)
  t.after(() => {
    client.destroy()
    server.close()
  })
  client.write('first')
  return { client, body: await promise }
}

async function failure(body: Readable): Promise<unknown> {
  const [error] = (await once(body, 'error').catch((thrown: unknown) => [thrown])) as [unknown]
  return error
}

test('it comes as it was sent', async (t) => {
  const { client, body } = await begun(t, 10_000)
  client.end(' and last')
  let text = ''
  for await (const chunk of body as AsyncIterable<Buffer>) text += chunk.toString()
  assert.equal(text, 'first and last')
})

test('one of which nothing comes any more is a 408', async (t) => {
  const { body } = await begun(t, 100)
  const failed = failure(body)
  body.resume()
  const error = await failed
  assert.ok(error instanceof ApiError)
  assert.deepEqual([error.status, error.message], [408, 'For 0.1 seconds nothing came of the body.'])
})

test('one of which nothing is taken is the fault of the engine', async (t) => {
  const { body } = await begun(t, 100)
  assert.ok((await failure(body)) instanceof EngineUnavailable)
})

test('one that breaks off says so to whoever takes it', async (t) => {
  const { client, body } = await begun(t, 10_000)
  const failed = failure(body)
  body.resume()
  client.destroy()
  assert.ok((await failed) instanceof InvalidInput)
})
