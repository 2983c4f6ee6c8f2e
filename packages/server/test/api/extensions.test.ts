/** Every route is upstream's, as the contract lists them, or an extension that the service names itself. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SimMachine } from '../support/sim-machine.ts'

/** api-conventions 2 and 14; containers 1; capsules 1; admin-resources 1 to 8. */
const UPSTREAM = `
GET /
GET /v1
GET /healthcheck
POST GET /v1/containers
GET PATCH DELETE /v1/containers/{ident}
POST /v1/containers/{ident}/start
POST /v1/containers/{ident}/stop
POST /v1/containers/{ident}/reboot
POST /v1/containers/{ident}/pause
POST /v1/containers/{ident}/unpause
POST /v1/containers/{ident}/kill
POST /v1/containers/{ident}/rebuild
GET PUT /v1/containers/{ident}/logs
POST /v1/containers/{ident}/execute
POST /v1/containers/{ident}/execute_resize
GET /v1/containers/{ident}/attach
POST /v1/containers/{ident}/resize
POST /v1/containers/{ident}/resize_container
GET /v1/containers/{ident}/top
GET /v1/containers/{ident}/stats
GET /v1/containers/{ident}/get_archive
POST /v1/containers/{ident}/put_archive
POST /v1/containers/{ident}/commit
POST /v1/containers/{ident}/rename
POST /v1/containers/{ident}/add_security_group
POST /v1/containers/{ident}/remove_security_group
POST /v1/containers/{ident}/network_attach
POST /v1/containers/{ident}/network_detach
GET /v1/containers/{ident}/network_list
GET /v1/containers/{ident}/container_actions
GET /v1/containers/{ident}/container_actions/{request}
POST GET /v1/capsules
GET DELETE /v1/capsules/{ident}
GET DELETE /v1/services
PUT /v1/services/enable
PUT /v1/services/disable
PUT /v1/services/force_down
PUT /v1/services/{action}
GET /v1/hosts
GET /v1/hosts/{ident}
GET /v1/availability_zones
GET POST /v1/images
GET DELETE /v1/images/{ident}
GET /v1/images/{name}/search
POST /v1/networks
DELETE /v1/networks/{uuid}
GET PUT DELETE /v1/quotas/{project}
GET /v1/quotas/{project}/defaults
GET PUT /v1/quota_classes/{name}
POST GET /v1/registries
GET PATCH DELETE /v1/registries/{ident}
`
  .trim()
  .split('\n')
  .flatMap((line) => {
    const words = line.split(' ')
    return words.slice(0, -1).map((method) => `${method} ${words.at(-1)}`)
  })

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly 'x-extension'?: string }>>>>
}

let machine: SimMachine
before(async () => {
  machine = await SimMachine.start()
})
after(() => machine.stop())

/** In all versions together. */
async function operations(): Promise<Map<string, string | undefined>> {
  const found = new Map<string, string | undefined>()
  for (const version of ['1.1', '1.14', '1.40']) {
    const { body } = await machine.ask('alice', 'GET', `/openapi.json?version=${version}`)
    for (const [path, item] of Object.entries((JSON.parse(body) as Document).paths)) {
      for (const [method, operation] of Object.entries(item)) {
        found.set(`${method.toUpperCase()} ${path}`, operation['x-extension'])
      }
    }
  }
  return found
}

async function extensions(): Promise<{ name: string; path: string }[]> {
  const { body } = await machine.ask('alice', 'GET', '/v1/extensions')
  return (JSON.parse(body) as { extensions: { name: string; path: string }[] }).extensions
}

test('a route that is not upstream’s belongs to an extension that is listed, and one that is belongs to none', async () => {
  const names = (await extensions()).map(({ name }) => name)
  for (const [line, extension] of await operations()) {
    if (UPSTREAM.includes(line)) assert.equal(extension, undefined, line)
    else assert.ok(extension !== undefined && names.includes(extension), `${line} is neither upstream's nor listed`)
  }
})

test('every route of upstream is there', async () => {
  const there = await operations()
  assert.deepEqual(
    UPSTREAM.filter((line) => !there.has(line)),
    [],
  )
})

/** A terminal is opened by an upgrade, which OpenAPI has no words for; the others add to calls of upstream. */
const WITHOUT_CALLS = ['console', 'wait', 'idempotency-key']

test('every extension that is listed is described, and every one that has calls says so in the document', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../docs/api/extensions.md'), 'utf8')
  const inDocument = new Set((await operations()).values())
  for (const { name } of await extensions()) {
    assert.match(text, new RegExp(`^## .*\\b${name}\\b`, 'm'))
    if (!WITHOUT_CALLS.includes(name)) assert.ok(inDocument.has(name), name)
  }
})
