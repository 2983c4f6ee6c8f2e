/** What is true of every answer, whatever was asked. */
import assert from 'node:assert/strict'
import type { Case } from './cases.ts'

export interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

const REQUEST_ID = /^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Nothing of how we are made. */
const INSIDES =
  /node_modules|\bat [\w.<>]+ \(|\.[tj]s:\d+|node:internal|sqlite|kysely|zund-sim-|fastify|FST_ERR|\[object Object\]/i

interface ErrorItem {
  readonly request_id: string
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly links: unknown
}

export function check(request: Case, seen: Seen, secrets: readonly string[]): void {
  const { status, headers, text } = seen
  assert.ok(status >= 200 && status < 500, `status ${status}: ${text.slice(0, 500)}`)
  assert.match(String(headers['x-openstack-request-id']), REQUEST_ID)
  const sent = `${request.url} ${decoded(request.url)} ${JSON.stringify(request.headers)} ${request.payload?.toString() ?? ''}`
  if (!INSIDES.test(sent)) assert.doesNotMatch(text, INSIDES)
  if (request.user !== 'bob' && request.user !== 'admin') {
    const told = secrets.filter((secret) => text.includes(secret) && !sent.includes(secret))
    assert.deepEqual(told, [], 'things of another project are told')
  }
  if (status === 204 || text === '') return
  // The one page that is for eyes.
  if (status === 200 && /^\/(container\/)?docs($|\?)/.test(request.url)) return assert.match(text, /^<!DOCTYPE html>/)
  if (headers['content-type'] === 'text/event-stream') return assert.match(text, /^retry: 2000\n\n/)
  assert.match(String(headers['content-type']), /^application\/json/)
  const body: unknown = JSON.parse(text)
  if (status < 400) return
  assert.ok(text.length < 20_000, `an error of ${text.length} characters`)
  if (status === 401 || request.url.startsWith('/identity/v3/')) checkIdentityError(status, body)
  else checkError(seen, body, sent)
}

/** As Keystone and its middleware write it. */
function checkIdentityError(status: number, body: unknown): void {
  // Behind a path that only looks like the identity's is the API.
  if (isErrorList(body)) return
  const { error } = body as { error: { code: number; title: string; message: string } }
  assert.equal(error.code, status)
  assert.ok(error.title !== '' && error.message !== '')
}

function isErrorList(body: unknown): body is { errors: ErrorItem[] } {
  return typeof body === 'object' && body !== null && 'errors' in body
}

function checkError({ status, headers }: Seen, body: unknown, sent: string): void {
  assert.ok(isErrorList(body), 'an error is a list of errors')
  const [error, ...others] = body.errors
  assert.ok(error !== undefined && others.length === 0)
  assert.equal(error.status, status)
  assert.equal(error.request_id, headers['x-openstack-request-id'])
  assert.match(error.code, /^(container\.[a-z0-9-]*|zun\.microversion-unsupported)$/)
  assert.ok(error.title !== '' && error.detail !== '')
  assert.ok(Array.isArray(error.links))
  for (const told of [error.title, error.detail]) assert.ok(told.isWellFormed())
  if (error.code === 'container.schema-validation-error' && !error.title.endsWith('is a required property')) {
    const [, named = 'nothing'] = /'([^']*?)…?'/.exec(error.title) ?? []
    const has = (name: string): boolean => sent.includes(name) || sent.includes(JSON.stringify(name).slice(1, -1))
    // A path, as in `template.spec.containers[0].image`, has a last part that may be what is missing.
    const isSent =
      has(named) ||
      named
        .split(/\.|\[\d+\]/)
        .slice(0, -1)
        .every(has)
    assert.ok(isSent, `a schema error names a field of the request, not ${named}`)
  }
}

function decoded(url: string): string {
  return [...new URLSearchParams(url.slice(url.indexOf('?') + 1))].flat().join(' ')
}
