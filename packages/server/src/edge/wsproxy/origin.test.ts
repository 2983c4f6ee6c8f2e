import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOriginAllowed } from './origin.ts'

test('a page may open a terminal when it is of the same host or of a listed one, with a fitting scheme', () => {
  const rows: readonly [origin: string | undefined, host: string | undefined, allowed: boolean, proto?: string][] = [
    [undefined, 'proxy:6784', true],
    ['http://proxy:6784', 'proxy:6784', true],
    ['http://proxy', 'proxy:6784', true],
    ['http://PROXY:80', 'proxy:6784', true],
    ['ws://proxy:6784', 'proxy', true],
    ['http://proxy:None', 'proxy:6784', true],
    ['http://[::1]:6784', '[::1]:6784', true],
    ['http://[::1]', '[::2]:6784', false],
    ['http://dashboard.example', 'proxy:6784', true],
    ['http://dashboard.example:8080', 'proxy:6784', true],
    ['http://[fd00::7]:8080', 'proxy:6784', true],
    ['http://evil.example', 'proxy:6784', false],
    ['http://proxy.evil.example', 'proxy:6784', false],
    ['http://evil.example/proxy', 'proxy:6784', false],
    ['http://proxy@evil.example', 'proxy:6784', false],
    ['https://proxy:6784', 'proxy:6784', false],
    ['https://proxy:6784', 'proxy:6784', true, 'http'],
    ['http://proxy:6784', 'proxy:6784', false, 'https'],
    ['http://proxy:6784', undefined, false],
    ['http://dashboard.example', undefined, true],
    ['null', 'proxy:6784', false],
    ['', 'proxy:6784', false],
    ['http://', '', false],
    ['proxy:6784', 'proxy:6784', false],
  ]
  const options = { scheme: 'ws', allowedOrigins: ['dashboard.example', 'fd00::7'] }
  for (const [origin, host, allowed, proto] of rows) {
    const headers = {
      ...(origin === undefined ? {} : { origin }),
      ...(host === undefined ? {} : { host }),
      ...(proto === undefined ? {} : { 'x-forwarded-proto': proto }),
    }
    assert.equal(isOriginAllowed(headers, options), allowed, `${origin} at ${host}`)
  }
})

test('behind TLS only pages under TLS may', () => {
  const options = { scheme: 'wss', allowedOrigins: [] }
  assert.equal(isOriginAllowed({ origin: 'https://proxy', host: 'proxy' }, options), true)
  assert.equal(isOriginAllowed({ origin: 'wss://proxy', host: 'proxy' }, options), true)
  assert.equal(isOriginAllowed({ origin: 'http://proxy', host: 'proxy' }, options), false)
  assert.equal(
    isOriginAllowed({ origin: 'http://proxy', host: 'proxy', 'x-forwarded-proto': 'https, http' }, options),
    true,
  )
})
