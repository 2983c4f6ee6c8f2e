/** capsules 1, 2 and 12: what a create is refused for, the paths clients use, and the shapes in which they ask. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { injected } from '../support/injected.ts'
import { SpecApi, type Request } from '../support/spec-api.ts'

const SMALL = { kind: 'capsule', metadata: { name: 'web' }, spec: { containers: [{ image: 'busybox' }] } }

interface Body {
  readonly uuid: string
  readonly [field: string]: unknown
}

let api: SpecApi
before(async () => {
  api = await SpecApi.start()
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.clearContainers()
  assert.deepEqual(api.machine.errors, [])
})

async function made(request: Request): Promise<Body> {
  const answer = await api.ask('POST /v1/capsules', request)
  assert.equal(answer.status, 202, answer.text)
  return answer.body as Body
}

test('what is wrong with a template is a 400 that names it, and nothing is kept', async () => {
  const spec = (containers: unknown, more: object = {}): object => ({ ...SMALL, spec: { containers, ...more } })
  const rows: readonly [body: unknown, code: string, says: RegExp][] = [
    [{}, 'schema-validation-error', /^'template' is a required property$/],
    [undefined, 'schema-validation-error', /^'template' is a required property$/],
    [{ template: SMALL, name: 'x' }, 'schema-validation-error', /'name' was unexpected/],
    [{ template: { ...SMALL, nets: [] } }, 'schema-validation-error', /in template \('nets' was unexpected\)/],
    [{ template: spec([{}]) }, 'schema-validation-error', /^'template\.spec\.containers\[0\]\.image' is a required/],
    [{ template: spec([]) }, 'invalid-capsule-template', /'template\.spec\.containers'.*at least 1/],
    [
      { template: spec([{ image: 'busybox' }], { volumes: [{ name: 'wd', cinder: { size: 1 } }] }) },
      'invalid',
      /^volume mount parameters is invalid/,
    ],
    [{ template: 'kind: [' }, 'failed-parse-string-to-json', /neither JSON nor YAML/],
    [
      { template: `a: &a [${'x, '.repeat(50)}]\nb: &b [${'*a, '.repeat(50)}]\nc: [${'*b, '.repeat(50)}]` },
      'failed-parse-string-to-json',
      /20000 values/,
    ],
    ['{"template": ', 'invalid-value', /JSON/],
  ]
  for (const [body, code, says] of rows) {
    const answer = await api.ask('POST /v1/capsules', body === undefined ? {} : { body })
    assert.deepEqual([answer.status, answer.code], [400, code], answer.text)
    assert.match(answer.title, says)
  }
  assert.deepEqual((await api.ask('GET /v1/capsules')).body, { capsules: [], next: null })
  assert.equal((await api.machine.rows())['container'], 0)
})

test('an image that is not there, or a volume, is refused, and nothing is kept', async () => {
  const mounts = [{ name: 'wd', mountPath: '/w' }]
  const of = (image: string, cinder?: object): object => ({
    ...SMALL,
    spec: {
      containers: [{ image, ...(cinder === undefined ? {} : { volumeMounts: mounts }) }],
      volumes: cinder === undefined ? null : [{ name: 'wd', cinder }],
    },
  })
  const volumeID = '0e7a2f5c-6bfd-4b63-8c46-0123456789ab'
  const answer = await api.ask('POST /v1/capsules', { body: { template: of('busybox', { volumeID }) } })
  assert.deepEqual([answer.status, answer.code], [404, 'volume-not-found'], answer.text)
  assert.equal((await api.machine.rows())['container'], 0)
})

test('a create comes as JSON, and only the four calls are there', async () => {
  for (const type of ['text/plain', 'application/octet-stream', 'application/x-yaml']) {
    const headers = { 'content-type': type }
    const answer = await api.ask('POST /v1/capsules', { headers, body: JSON.stringify({ template: SMALL }) })
    assert.equal(answer.status, 415, answer.text)
    assert.match(answer.title, /application\/json/)
  }
  for (const line of ['PUT /v1/capsules', 'PATCH /v1/capsules', 'DELETE /v1/capsules']) {
    assert.equal((await api.ask(line)).status, 405, line)
  }
  const { uuid } = await made({ body: { template: SMALL } })
  for (const method of ['PUT', 'PATCH', 'POST']) {
    assert.equal((await api.ask(`${method} /v1/capsules/${uuid}`, { body: {} })).status, 405, method)
  }
  for (const line of [`POST /v1/capsules/${uuid}/start`, `GET /v1/capsules/${uuid}/logs`]) {
    assert.equal((await api.ask(line)).status, 404, line)
  }
  assert.equal((await api.ask('GET /v1/experimental/capsules')).status, 404)
})

test('doubled and trailing slashes, and paths without a version, lead to the same', async () => {
  // As python-zunclient asks.
  const answer = await api.ask('POST /v1/capsules/', { body: { template: SMALL } })
  assert.equal(answer.status, 202, answer.text)
  const { uuid } = answer.body as Body
  const shown = (await api.ask(`GET /v1/capsules/${uuid}`)).body
  for (const path of [
    `/v1/capsules//${uuid}`,
    `/v1/capsules/${uuid}/`,
    `/capsules/${uuid}`,
    `/container/v1/capsules/${uuid}`,
  ]) {
    const one = await api.ask(`GET ${path}`)
    assert.deepEqual([one.status, (one.body as Body).uuid], [200, uuid], path)
  }
  for (const path of ['/v1/capsules/', '/capsules', '/capsules/', '/v1//capsules', '/v1/capsules/?limit=5']) {
    const { capsules } = (await api.ask(`GET ${path}`)).body as { capsules: Body[] }
    assert.deepEqual(
      capsules.map((one) => one.uuid),
      [(shown as Body).uuid],
      path,
    )
  }
  // As tempest does, with the type of everything that has no body.
  const headers = { 'content-type': 'application/octet-stream' }
  assert.equal((await api.ask(`DELETE /v1/capsules//${uuid}`, { headers })).status, 204)
})

const FILE = `
# A file as people have it, with a comment and an anchor.
capsuleVersion: beta
kind: capsule
metadata:
  name: from-file
  labels: &labels
    app: web
    foo1: bar1
restartPolicy: Always
spec:
  containers:
  - image: busybox
    command:
      - "/bin/sh"
    workDir: /root
    ports:
      - name: http
        containerPort: 80
        hostPort: 80
        protocol: TCP
    resources:
      requests:
        cpu: 1
        memory: 512
    env: *labels
`

test('gophercloud sends the file as it is, in JSON or YAML, without a version and with 1.32', async () => {
  const json = JSON.stringify({ ...SMALL, metadata: { name: 'from-file', labels: { app: 'web', foo1: 'bar1' } } })
  for (const template of [FILE, json, JSON.stringify(JSON.parse(json), null, 2)]) {
    for (const version of [undefined, 'container 1.32']) {
      const headers: Record<string, string> = version === undefined ? {} : { 'openstack-api-version': version }
      const answer = await injected(api.machine.app, {
        method: 'POST',
        url: '/v1/capsules',
        headers: { 'x-auth-token': api.machine.token('alice'), 'content-type': 'application/json', ...headers },
        payload: JSON.stringify({ template }),
      })
      assert.equal(answer.statusCode, 202, answer.body)
      const body = JSON.parse(answer.body) as Body
      assert.equal(answer.headers['openstack-api-version'], version ?? 'container 1.1')
      const isLegacy = version === undefined
      assert.deepEqual(
        [body[isLegacy ? 'meta_name' : 'name'], body[isLegacy ? 'meta_labels' : 'labels']],
        ['from-file', { app: 'web', foo1: 'bar1' }],
      )
      // It tells the formats apart by the type of this, and any other wrong type is an error to it.
      assert.equal(typeof body['restart_policy'], isLegacy ? 'string' : 'object')
      assertGoTypes(body)
    }
  }
})

/** Types of the fields as gophercloud's structures have them; null fits everywhere. */
function assertGoTypes(body: Body): void {
  const isMapOf = (value: unknown, type: string): boolean =>
    typeof value === 'object' && Object.values(value ?? {}).every((one) => typeof one === type)
  for (const name of ['uuid', 'user_id', 'project_id', 'status', 'memory']) assert.equal(typeof body[name], 'string')
  assert.equal(typeof body['cpu'], 'number')
  for (const container of body['containers'] as Record<string, unknown>[]) {
    assert.ok(Number.isInteger(container['disk']), 'disk')
    assert.match(String(container['memory']), /^\d*$/)
    for (const name of ['environment', 'labels', 'restart_policy']) {
      assert.ok(isMapOf(container[name], 'string'), `${name} ${JSON.stringify(container[name])}`)
    }
    for (const name of ['auto_remove', 'auto_heal', 'interactive']) assert.equal(typeof container[name], 'boolean')
    assert.ok((container['ports'] as unknown[]).every((port) => Number.isInteger(port)))
  }
}

test('virtual-kubelet sends a pod as text, reads it by its name, and deletes it by its name', async () => {
  const pod = (memory: number): string =>
    JSON.stringify({
      kind: 'capsule',
      metadata: {
        name: 'default-web-0',
        labels: {
          PodName: 'web-0',
          ClusterName: '',
          NodeName: 'virtual',
          Namespace: 'default',
          UID: '0e7a2f5c-6bfd-4b63-8c46-0123456789ab',
          CreationTimestamp: '2026-01-02 03:04:05 +0000 UTC',
        },
      },
      spec: {
        containers: [
          {
            image: 'busybox',
            command: ['serve'],
            workDir: '/tmp',
            env: { A: 'b' },
            imagePullPolicy: 'IfNotPresent',
            resources: { requests: { cpu: 0.5, memory } },
          },
        ],
      },
    })
  const minor = 32
  const { title, status } = await api.ask('POST /v1/capsules', { minor, body: { template: pod(128.5) } })
  assert.equal(status, 400)
  assert.match(title, /'template\.spec\.containers\[0\]\.resources\.requests\.memory'.*'128\.5'.*whole number/)
  const { uuid } = await made({ minor, body: { template: pod(128) } })
  const one = (await api.ask('GET /v1/capsules/default-web-0', { minor })).body as Body
  assert.deepEqual([one.uuid, (one['labels'] as Record<string, string>)['NodeName']], [uuid, 'virtual'])
  assertGoTypes(one)
  assert.equal((await api.ask('DELETE /v1/capsules/default-web-0', { minor })).status, 204)
})
