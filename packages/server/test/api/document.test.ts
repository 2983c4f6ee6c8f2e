/** The document of the API: it has every route and no other, in every microversion, and anybody may read it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { apiEndpoints } from '@zund/contract/api/endpoints/index.ts'
import { USUAL_OPTIONS } from '@zund/contract/api/limits.ts'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fastify from 'fastify'
import { mountDocs } from '../../src/edge/api/docs/mount.ts'
import { MAX_MINOR, MIN_MINOR } from '../../src/edge/api/microversion.ts'
import { identityRoutes } from '../../src/edge/identity/identity-routes.ts'
import { injected } from '../support/injected.ts'
import { SimMachine } from '../support/sim-machine.ts'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name?: string; readonly in?: string }[]
  readonly responses: Readonly<Record<string, unknown>>
}

interface Document {
  readonly openapi: string
  readonly info: { readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, { properties: Record<string, object> }>> }
}

let machine: SimMachine
before(async () => {
  machine = await SimMachine.start()
})
after(() => machine.stop())

async function get(url: string) {
  return await injected(machine.app, { method: 'GET', url, headers: {} })
}

async function read(version: string, from = machine): Promise<Document> {
  const answer = await injected(from.app, { method: 'GET', url: `/openapi.json?version=${version}`, headers: {} })
  assert.equal(answer.statusCode, 200, answer.body)
  return JSON.parse(answer.body) as Document
}

const everyMinor = Array.from({ length: MAX_MINOR - MIN_MINOR + 1 }, (_, i) => MIN_MINOR + i)

test('the router has every call of the contract, and no other', () => {
  const inContract = Object.keys(apiEndpoints(USUAL_OPTIONS))
  const inRouter = machine.routes.map(({ endpoint }) => endpoint.id)
  assert.deepEqual(inRouter.toSorted(), inContract.toSorted())
})

test('the document of each microversion has every route that is there in it, and no other', async () => {
  for (const minor of everyMinor) {
    const { paths, info } = await read(`1.${minor}`)
    assert.equal(info.version, `1.${minor}`)
    const inDocument = Object.entries(paths)
      .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
      .filter((line) => line.includes(' /v1/'))
    const inRouter = machine.routes
      .filter(({ minVersion = 1, maxVersion = MAX_MINOR }) => minVersion <= minor && minor <= maxVersion)
      .map(({ method, path }) => `${method} ${path.replaceAll(/:([a-z]+)/g, '{$1}').replace(/\*$/, '{name}/search')}`)
    assert.deepEqual(inDocument.toSorted(), inRouter.toSorted(), `1.${minor}`)
  }
})

test('what stands beside the resources is in the document too, and nothing else', async () => {
  const mounted = fastify({ exposeHeadRoutes: false })
  const found = ['GET /', 'GET /v1', 'GET /healthcheck']
  mounted.addHook('onRoute', ({ method, url }) => {
    // Other ways to the same: with a slash at the end, or below the prefix.
    const path = url
      .replace(/^\/container/, '')
      .replace(/\/$/, '')
      .replaceAll(/:([a-z]+)/g, '{$1}')
    for (const one of [method].flat()) if (one !== 'HEAD') found.push(`${one} ${path}`)
  })
  identityRoutes(machine.identity).mount(mounted)
  mountDocs(mounted, [])
  await mounted.ready()
  const { paths } = await read('latest')
  const documented = Object.entries(paths)
    .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`))
    .filter((line) => !line.includes(' /v1/'))
  assert.deepEqual(documented.toSorted(), [...new Set(found)].toSorted())
})

test('the document is sound: every reference leads somewhere, ids are unique, parameters of paths are declared', async () => {
  for (const minor of everyMinor) {
    const document = await read(`1.${minor}`)
    assert.equal(document.openapi, '3.1.0')
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.values(item).map((operation) => ({ path, operation })),
    )
    const ids = operations.map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const declared = (operation.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => name)
      assert.deepEqual(declared, inPath, path)
      assert.ok(Object.keys(operation.responses).length > 0, path)
    }
    const text = JSON.stringify(document)
    for (const [, pointer = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = pointer.split('/').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], document)
      assert.equal(typeof target, 'object', pointer)
    }
    const ajv = new Ajv2020({ strict: false })
    ajv.addSchema(document, 'document')
    for (const name of Object.keys(document.components.schemas)) {
      assert.ok(ajv.getSchema(`document#/components/schemas/${name}`), name)
    }
  }
})

test('microversions differ in the document as they do in the service', async () => {
  const of = async (version: string, path: string, method: string): Promise<string> =>
    JSON.stringify((await read(version)).paths[path]?.[method] ?? null)
  const rename = '/v1/containers/{ident}/rename'
  assert.notEqual(await of('1.13', rename, 'post'), 'null')
  assert.equal(await of('1.14', rename, 'post'), 'null')
  const create = async (version: string): Promise<Record<string, object>> => {
    const text = await of(version, '/v1/containers', 'post')
    const { requestBody } = JSON.parse(text) as {
      requestBody: { content: { 'application/json': { schema: { properties: Record<string, object> } } } }
    }
    return requestBody.content['application/json'].schema.properties
  }
  assert.deepEqual(Object.keys(await create('1.1')).includes('mounts'), false)
  assert.deepEqual(Object.keys(await create('1.11')).includes('mounts'), true)
  assert.deepEqual(Object.keys(await create('1.39')).includes('entrypoint'), false)
  assert.match(JSON.stringify((await create('1.19'))['command']), /"string"/)
  assert.match(JSON.stringify((await create('1.20'))['command']), /"array"/)
  assert.match(await of('1.31', '/v1/capsules/{ident}', 'get'), /LegacyCapsule/)
  assert.doesNotMatch(await of('1.32', '/v1/capsules/{ident}', 'get'), /LegacyCapsule/)
})

test('limits are those of the options', async (t) => {
  const other = await SimMachine.start({ overrides: { maximumMemory: '12345', maxLimit: '77' } })
  t.after(() => other.stop())
  const text = JSON.stringify((await read('latest', other)).paths['/v1/containers'])
  assert.match(text, /"maximum":12345/)
  assert.match(text, /more than 77 are not given/)
})

test('the newest is told unless another is asked for, and what is none is refused with its name', async () => {
  const newest = await get('/openapi.json')
  assert.match(String(newest.headers['content-type']), /^application\/json/)
  for (const url of ['/openapi.json?version=latest', '/openapi.json?version=1.40', '/container/openapi.json']) {
    assert.equal((await get(url)).body, newest.body, url)
  }
  for (const version of ['1.0', '1.41', '2.1', 'x', '1.', '01.1', '1.1.1']) {
    for (const path of ['/openapi.json', '/docs']) {
      const answer = await get(`${path}?version=${version}`)
      assert.equal(answer.statusCode, 400, `${path} ${version}`)
      assert.match(answer.body, /version/)
    }
  }
  const unknown = await get('/docs?v=1.1')
  assert.deepEqual([unknown.statusCode, unknown.body.includes('Unknown parameters: v')], [400, true])
})

test('the page needs nothing but itself, runs no script, and has a place for every call and schema', async () => {
  for (const version of ['1.1', '1.40']) {
    const answer = await get(`/docs?version=${version}`)
    assert.equal(answer.statusCode, 200)
    assert.match(String(answer.headers['content-type']), /^text\/html/)
    const policy = String(answer.headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; style-src 'sha256-[\w+/=]+'; /)
    assert.doesNotMatch(policy, /unsafe|script|\*/)
    assert.doesNotMatch(answer.body, /<script|<link|<img|<iframe|@import|url\(| on\w+=|(?:src|href)="(?:https?:)?\/\//i)
    const { paths, components } = await read(version)
    const ids = Object.values(paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId))
    const places = [...ids, ...Object.keys(components.schemas).map((name) => `schema-${name}`)]
    for (const id of places) assert.ok(answer.body.includes(`<details id="${id}">`), id)
    const targets = new Set([...answer.body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    for (const [, id] of answer.body.matchAll(/href="#([^"]+)"/g)) assert.ok(targets.has(id), `nothing is at #${id}`)
  }
})
