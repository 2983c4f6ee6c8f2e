import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { until } from '../support/until.ts'
import { PATIENT, type Stage } from './stage.ts'

interface Row {
  readonly uuid: string
  readonly name: string
  readonly status: string
  readonly addresses: string
}

interface Shown extends Row {
  readonly containers: readonly Readonly<Record<string, unknown>>[]
  readonly [field: string]: unknown
}

export const YAML = `
# What is only on this machine is run with the pull policy never.
capsuleVersion: beta
kind: capsule
metadata:
  name: web
  labels: {app: web}
spec:
  restartPolicy: Always
  initContainers:
  - image: busybox
    imagePullPolicy: Never
    command: ["true"]
  containers:
  - image: busybox
    imagePullPolicy: Never
    command: ["sh", "-c", ${JSON.stringify(PATIENT[2])}]
    env: {GREETING: hello}
    ports:
    - containerPort: 80
      protocol: TCP
    resources: {requests: {cpu: 0.5, memory: 64}}
  - image: busybox
    imagePullPolicy: Never
    command: ["sh", "-c"]
    args: [${JSON.stringify(PATIENT[2])}]
`

const MEMBER = { image: 'busybox', imagePullPolicy: 'Never', command: PATIENT }
const jsonFile = (name: string): string =>
  JSON.stringify({ kind: 'capsule', metadata: { name }, spec: { containers: [MEMBER] } })

export function file(stage: Stage, name: string, text: string): string {
  const path = join(stage.directory, name)
  writeFileSync(path, text)
  return path
}

export async function running(stage: Stage, name: string): Promise<Row> {
  return await until(`${name} runs`, async () => {
    const rows = await stage.demo.json<Row[]>('capsule list')
    const row = rows.find((one) => one.name === name)
    assert.notEqual(row?.status, 'Error', name)
    return row?.status === 'Running' && row
  })
}

export async function gone(stage: Stage, name: string): Promise<void> {
  await until(`${name} is gone`, async () => {
    const rows = await stage.demo.json<Row[]>('capsule list')
    return rows.every((one) => one.name !== name)
  })
}

export function capsulesTests(stage: Stage): void {
  it('create from YAML, and the capsule runs', async () => {
    const { demo, zund, api } = stage
    const made = await demo.json<Shown>(`capsule create --file ${file(stage, 'web.yaml', YAML)}`)
    assert.deepEqual(
      [made.name, made['labels'], made['cpu'], made['memory'], made['project_id'], made['restart_policy']],
      ['web', { app: 'web' }, 0.5, '64', api.projectId, { Name: 'always', MaximumRetryCount: '0' }],
    )
    const row = await running(stage, 'web')
    assert.equal(row.uuid, made.uuid)
    assert.match(row.addresses, /\d+\.\d+\.\d+\.\d+/)
    for (const ident of ['web', made.uuid]) {
      const shown = await demo.json<Shown>(`capsule show ${ident}`)
      assert.deepEqual(
        [shown.uuid, shown.status, shown['status_reason'], shown.addresses],
        [made.uuid, 'Running', null, row.addresses],
      )
      assert.deepEqual(
        shown.containers.map((one) => [one['image'], one['status'], one['memory'], one['environment']]),
        [
          ['busybox', 'Running', '64', { GREETING: 'hello' }],
          ['busybox', 'Running', '0', {}],
        ],
      )
      const [init] = shown['init_containers'] as Record<string, unknown>[]
      assert.deepEqual([init?.['status'], Object.hasOwn(init ?? {}, 'links')], ['Stopped', false])
    }
    const { Config } = await zund.engine.api<{ Config: { Env: string[] } }>(
      'GET',
      `/containers/zun-${String((await demo.json<Shown>('capsule show web')).containers[0]?.['uuid'])}/json`,
    )
    assert.ok(Config.Env.includes('GREETING=hello'))
  })

  it('create from JSON, and the list has pages and an order', async () => {
    const { demo } = stage
    for (const name of ['aaa', 'zzz']) {
      await demo.ok(`capsule create --file ${file(stage, `${name}.json`, jsonFile(name))}`)
      await running(stage, name)
    }
    const names = async (options: string): Promise<string[]> =>
      (await demo.json<Row[]>(`capsule list${options}`)).map(({ name }) => name)
    assert.deepEqual(await names(''), ['web', 'aaa', 'zzz'])
    assert.deepEqual(await names(' --sort-key name --sort-dir desc'), ['zzz', 'web', 'aaa'])
    assert.deepEqual(await names(' --limit 2'), ['web', 'aaa'])
    const [first] = await demo.json<Row[]>('capsule list')
    assert.deepEqual(await names(` --marker ${first?.uuid}`), ['aaa', 'zzz'])
    // More than one page: the client follows what the service gives as the next one.
    assert.deepEqual(await names(' --limit 3 --sort-key uuid'), (await names(' --sort-key uuid')).slice(0, 3))
    assert.match(await demo.refused('capsule list --sort-key bogus'), /sort_key.*'bogus'.*\(HTTP 400\)/)
  })

  it('a member has the own project’s, also when he asks for all; an admin has all, with their hosts', async () => {
    const { demo, admin } = stage
    assert.deepEqual(await admin.json('capsule list'), [])
    assert.equal((await admin.json<Row[]>('capsule list --all-projects')).length, 3)
    assert.equal((await demo.json<Row[]>('capsule list --all-projects')).length, 3)
    await admin.ok(`capsule create --file ${file(stage, 'ops.json', jsonFile('ops'))}`)
    assert.deepEqual(
      (await demo.json<Row[]>('capsule list --all-projects')).map(({ name }) => name),
      ['web', 'aaa', 'zzz'],
    )
    assert.match(await demo.refused('capsule show ops'), /^Container ops could not be found.*\(HTTP 404\)/)
    assert.match(await demo.ok('capsule delete ops'), /Delete for capsule ops failed: .*\(HTTP 404\)/)
    const seen = await admin.json<Shown>('capsule show web')
    assert.ok(typeof seen['host'] === 'string' && seen.containers.every((one) => one['host'] === seen['host']))
    assert.equal(Object.hasOwn(await demo.json<Shown>('capsule show web'), 'host'), false)
    assert.match(await admin.ok('capsule delete ops'), /Request to delete capsule ops has been accepted/)
    await until('it is gone', async () => (await admin.json<Row[]>('capsule list')).length === 0)
  })

  it('an older version has the older format', async () => {
    for (const [minor, name, policy] of [
      [31, 'meta_name', 'always'],
      [32, 'name', { Name: 'always', MaximumRetryCount: '0' }],
    ] as const) {
      const shown = await stage.demo.json<Shown>(`--os-container-api-version 1.${minor} capsule show web`)
      assert.deepEqual([shown[name], shown['restart_policy']], ['web', policy])
    }
  })

  it('what is wrong with a file is said with its place in it', async () => {
    const { demo } = stage
    for (const [text, says] of [
      ['kind: pod\nmetadata: {}\nspec: {containers: [{image: busybox}]}', /'template\.kind'.*'pod'.*\(HTTP 400\)/],
      ['kind: capsule\nmetadata: {}\nspec: {containers: []}', /'template\.spec\.containers'.*at least 1.*\(HTTP 400\)/],
      [YAML.replace('memory: 64', 'memory: 3'), /'template\.spec\.containers\[0\]\.resources\.requests\.memory'.*'3'/],
      [YAML.replace('memory: 64', 'disk: 3'), /requests \('disk' was unexpected\) \(HTTP 400\)/],
    ] as const) {
      assert.match(await demo.refused(`capsule create --file ${file(stage, 'wrong.yaml', text)}`), says)
    }
    assert.equal((await demo.json<Row[]>('capsule list')).length, 3)
  })

  it('delete takes several, and what the engine had of them goes', async () => {
    const { demo, zund } = stage
    const { uuid, containers } = await demo.json<Shown>('capsule show web')
    const said = await demo.ok('capsule delete web aaa')
    for (const name of ['web', 'aaa']) {
      assert.match(said, new RegExp(`Request to delete capsule ${name} has been accepted`))
      await gone(stage, name)
    }
    const left = await zund.engine.api<{ Names: string[] }[]>('GET', '/containers/json?all=true')
    const names = left.flatMap(({ Names }) => Names)
    for (const one of [uuid, ...containers.map((container) => String(container['uuid']))]) {
      assert.ok(!names.includes(`/zun-${one}`), one)
    }
    assert.match(await demo.refused('capsule show web'), /could not be found.*\(HTTP 404\)/)
  })
}
