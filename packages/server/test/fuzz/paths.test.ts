import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Case } from './support/cases.ts'
import { check } from './support/checks.ts'
import { oddAccept, oddContentType, oddPayload, oddSegment, oddText, oddToken, oddVersion } from './support/oddities.ts'
import { exchange, requestText } from './support/raw.ts'
import { runs } from './support/seed.ts'
import { World } from './support/world.ts'

let world: World
before(async () => {
  world = await World.start()
})
after(() => world.machine.stop())

const KNOWN_PARTS = [
  'v1',
  'v2',
  'containers',
  'images',
  'services',
  'local',
  'volumes',
  'identity',
  'v3',
  'auth',
  'container',
  '',
]
const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'MOVE',
  'SEARCH',
]

const anyPath = fc
  .array(fc.oneof(fc.constantFrom(...KNOWN_PARTS), fc.constantFrom('box', 'start', 'logs'), oddSegment), {
    maxLength: 7,
  })
  .map((parts) => `/${parts.join('/')}`)
const anyQuery = fc.oneof(
  fc.constant(''),
  fc
    .tuple(fc.constantFrom('limit', 'name', 'x', 'all_projects'), oddText)
    .map(([name, value]) => `?${name}=${encodeURIComponent(value.toWellFormed())}`),
)

test('any path, with any method and any header, over a real connection', async () => {
  const request = fc.record({
    method: fc.constantFrom(...METHODS),
    path: anyPath,
    query: anyQuery,
    authorised: fc.boolean(),
    headers: fc.record(
      {
        'OpenStack-API-Version': oddVersion,
        'Content-Type': oddContentType,
        Accept: oddAccept,
        'X-OpenStack-Request-ID': oddToken,
        Origin: oddToken,
        'X-Forwarded-Host': oddToken,
        Expect: fc.constantFrom('100-continue', 'miracles'),
        Upgrade: fc.constantFrom('websocket', 'h2c'),
        Connection: fc.constantFrom('Upgrade', 'close', 'keep-alive'),
      },
      { requiredKeys: [] },
    ),
    token: oddToken,
    payload: fc.option(oddPayload, { nil: undefined }),
  })
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, authorised, headers, token, payload }) => {
      const url = `${path}${query}`
      const user = authorised ? 'alice' : undefined
      const all = { ...headers, 'X-Auth-Token': authorised ? world.machine.token('alice') : token }
      const seen = await exchange(world.machine.port, requestText(method, url, all, payload), method)
      const sent: Case = { method, url, headers: all, payload, user, field: undefined }
      check(sent, seen, world.secrets())
    }),
    runs(400),
  )
  assert.deepEqual(world.machine.errors, [])
})

test('an upgrade of the terminal port is refused in words, whatever comes with it', async () => {
  const upgrade = fc.record({
    path: fc.oneof(fc.constant('/'), anyPath),
    token: oddText,
    uuid: fc.oneof(fc.constantFrom(...world.idents()), oddText),
    exec: fc.option(oddText, { nil: undefined }),
    method: fc.constantFrom('GET', 'GET', 'GET', 'POST'),
    headers: fc.record(
      {
        'Sec-WebSocket-Key': fc.oneof(fc.constant('dGhlIHNhbXBsZSBub25jZQ=='), oddToken),
        'Sec-WebSocket-Version': fc.constantFrom('13', '8', '', 'x'),
        'Sec-WebSocket-Protocol': fc.constantFrom('binary', 'binary, base64', 'base64', ',', ''),
        'Sec-WebSocket-Extensions': fc.constantFrom('permessage-deflate', 'x; y="', ''),
        Origin: fc.oneof(fc.constantFrom('http://127.0.0.1:None', 'http://evil.test', 'null'), oddToken),
        Upgrade: fc.constantFrom('websocket', 'WebSocket', 'h2c'),
      },
      { requiredKeys: ['Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Upgrade'] },
    ),
  })
  await fc.assert(
    fc.asyncProperty(upgrade, async ({ path, token, uuid, exec, method, headers }) => {
      const query = new URLSearchParams({ token, uuid, ...(exec === undefined ? {} : { exec_id: exec }) })
      const url = `${path}?${query.toString()}`
      const text = requestText(method, url, { ...headers, Connection: 'Upgrade' }, undefined)
      const { status, text: words } = await exchange(world.machine.terminalPort, text, method)
      assert.ok(status >= 400 && status < 500, `status ${status}: ${words}`)
      assert.doesNotMatch(words, /\.ts:|node_modules|sqlite/i)
      for (const secret of world.secrets()) assert.ok(!words.includes(secret) || url.includes(secret))
    }),
    runs(150),
  )
  assert.deepEqual(world.machine.errors, [])
})
