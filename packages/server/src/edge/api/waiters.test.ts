import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Waiters } from './waiters.ts'

test('when the service stops those who wait are answered before their connections are cut', async () => {
  const waiters = new Waiters()
  const arrived = Promise.withResolvers<void>()
  const server = createServer((_, response) => {
    const signal = waiters.of(response)
    assert.equal(waiters.of(response), signal, 'asked for again it is the same')
    // An answer that has to be looked up first.
    signal.addEventListener('abort', () => setTimeout(() => response.end('as it is'), 50))
    arrived.resolve()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const answer = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await arrived.promise
  await waiters.close()
  server.closeAllConnections()
  server.close()
  assert.equal(await (await answer).text(), 'as it is')
})

test('nobody waits for a client that has hung up, and nothing waits any more when the service has stopped', async () => {
  const waiters = new Waiters()
  const left = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const server = createServer((_, response) => {
    waiters.of(response).addEventListener('abort', () => left.resolve())
    arrived.resolve()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const phone = new AbortController()
  const answer = fetch(url, { signal: phone.signal })
  await arrived.promise
  phone.abort()
  await assert.rejects(answer)
  await left.promise
  await waiters.close()
  server.removeAllListeners('request')
  server.on('request', (_, response) => response.end(String(waiters.of(response).aborted)))
  assert.equal(await (await fetch(url)).text(), 'true')
  server.closeAllConnections()
  server.close()
})
