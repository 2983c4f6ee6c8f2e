/** admin-resources 2 and 6: what hosts and projects are said to have in use. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import { anInventory } from '../support/builders.ts'
import { HOST } from '../support/sim-machine.ts'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ quietHost: false })
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.clearContainers()
  await api.ask(`DELETE /v1/quotas/${api.machine.projectId('red')}`, { as: 'admin' })
})

type Shown = Readonly<Record<string, unknown>>
type Numbers = Readonly<Record<string, number>>

async function onHost(): Promise<readonly unknown[]> {
  const { body } = await api.ask(`GET /v1/hosts/${HOST}`, { as: 'admin' })
  const { mem_used, cpu_used, disk_used } = body as Numbers
  return [mem_used, cpu_used, disk_used]
}

async function ofProject(): Promise<Numbers> {
  const { body } = await api.ask(`GET /v1/quotas/${api.machine.projectId('red')}?usages=1`)
  const shown = body as Readonly<Record<string, { in_use: number }>>
  return Object.fromEntries(Object.entries(shown).map(([name, { in_use }]) => [name, in_use]))
}

const requests = (cpu: number, memory: number): object => ({ resources: { requests: { cpu, memory } } })

test('a host counts what containers and capsules asked for; a project’s quota leaves capsules out', async () => {
  assert.deepEqual(await onHost(), [0, 0, 0])
  await api.made({ cpu: 0.5, memory: 64 })
  assert.deepEqual(await onHost(), [64, 0.5, 0])
  await api.ask(`PUT /v1/quotas/${api.machine.projectId('red')}`, {
    as: 'admin',
    body: { containers: 1, cpu: 1, memory: 64 },
  })
  const template = {
    kind: 'capsule',
    metadata: { name: 'pod' },
    spec: {
      containers: [
        { image: 'busybox', ...requests(1, 128) },
        { image: 'busybox', ...requests(0.5, 64) },
      ],
    },
  }
  const capsule = await api.ask('POST /v1/capsules', { body: { template } })
  assert.equal(capsule.status, 202, capsule.title)
  assert.deepEqual(await onHost(), [256, 2, 0])
  assert.deepEqual(await ofProject(), { containers: 1, memory: 64, cpu: 0.5, disk: 0 })
})

test('tenths of cores that add up to the limit fit into it', async () => {
  // As floating-point numbers they add up to a little more than three.
  assert.ok(0.8 + 1.6 + 0.6 > 3)
  await api.ask(`PUT /v1/quotas/${api.machine.projectId('red')}`, { as: 'admin', body: { cpu: 3 } })
  for (const cpu of [0.8, 1.6, 0.6]) await api.made({ cpu })
  assert.equal((await ofProject())['cpu'], 3)
  const more = await api.ask('POST /v1/containers', { body: { image: 'busybox', cpu: 0.1 } })
  assert.deepEqual([more.status, more.code], [403, 'over-quota'])
})

test('limits can be set for a project that nobody has heard of, in the query too', async () => {
  const line = '/v1/quotas/not-yet-there'
  const put = await api.ask(`PUT ${line}?containers=3`, { as: 'admin' })
  assert.deepEqual([put.status, (put.body as Numbers)['containers']], [200, 3])
  const shown = await api.ask(`GET ${line}`, { as: 'admin' })
  assert.deepEqual(shown.body, put.body)
  assert.deepEqual((await api.ask(`DELETE ${line}`, { as: 'admin' })).text, 'null')
})

test('a host that begins another life is the same one: a name is one host’s', async (t) => {
  const hello = { host: 'returning', availabilityZone: 'nova' }
  t.after(() => api.machine.store.write((tx) => tx.hosts.remove(hello.host)))
  const seen = new Set<unknown>()
  for (let life = 0; life < 2; life += 1) {
    await api.machine.store.write(async (tx) => {
      const epoch = await tx.hosts.beginSession({ ...hello, uuidIfNew: randomUUID() })
      await tx.hosts.heartbeat(hello.host, epoch, { engineTrouble: null, inventory: anInventory() })
    })
    const { hosts } = (await api.ask('GET /v1/hosts', { as: 'admin' })).body as { hosts: Shown[] }
    const [found, ...others] = hosts.filter(({ hostname }) => hostname === hello.host)
    assert.equal(others.length, 0)
    seen.add(found?.['uuid'])
  }
  assert.equal(seen.size, 1)
  assert.equal((await api.ask('GET /v1/hosts/returning', { as: 'admin' })).status, 200)
})
