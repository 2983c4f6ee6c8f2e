/** Pulls with a project's own password from a real registry, and what is kept of that password on the disk. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import type { ApiClient, ContainerBody } from '../support/api-client.ts'
import { closeAll } from '../support/close-all.ts'
import * as registries from '../support/registry.ts'
import { memberOf } from '../support/tenants.ts'
import { ZundProcess } from '../support/zund-process.ts'

const LOGIN = { username: 'puller', password: 'a-password-of-alice' }

let locked: registries.TestRegistry
let zund: ZundProcess
let alice: ApiClient
let bob: ApiClient

before(async () => {
  locked = await registries.start({ login: LOGIN })
  await locked.upload('team/locked', 'v1')
  zund = await ZundProcess.start()
  alice = await zund.client()
  bob = await memberOf(zund, 'neighbours')
  const registry = { name: 'store', domain: locked.domain, ...LOGIN }
  await alice.expect(201, 'POST', '/v1/registries', { body: { registry } })
})

after(() =>
  closeAll(
    () => zund.destroy(),
    () => removeImages(),
    () => locked.stop(),
  ),
)

async function removeImages(): Promise<void> {
  for (const { RepoTags } of await zund.engine.api<{ RepoTags: string[] | null }[]>('GET', '/images/json')) {
    const ours = (RepoTags ?? []).filter((tag) => tag.startsWith(`${locked.domain}/`))
    for (const tag of ours) await zund.engine.api('DELETE', `/images/${tag}?force=1`)
  }
}

/** Their addresses are few. */
afterEach(async () => {
  for (const client of [alice, bob]) {
    const { containers } = await client.expect<{ containers: ContainerBody[] }>(200, 'GET', '/v1/containers')
    for (const { uuid } of containers) await client.delete(uuid)
  }
})

async function created(body: object): Promise<string[]> {
  const { uuid } = await alice.expect<ContainerBody>(202, 'POST', '/v1/containers', { body })
  await alice.waitFor(uuid, (found) => found.status === 'Created' && found.task_state === null)
  const { Image } = await zund.engine.api<{ Image: string }>('GET', `/containers/zun-${uuid}/json`)
  return (await zund.engine.api<{ RepoTags: string[] }>('GET', `/images/${Image}/json`)).RepoTags
}

async function refusal(client: ApiClient, body: object): Promise<readonly [number, string]> {
  const { status, text } = await client.call('POST', '/v1/containers', { body })
  return [status, text]
}

const name = (): string => `${locked.domain}/team/locked:v1`

test('a container is pulled with the password of its registry, by a short name and by the whole one', async () => {
  for (const image of ['team/locked:v1', name()]) {
    for (const policy of ['always', 'ifnotpresent']) {
      assert.deepEqual(await created({ image, registry: 'store', image_pull_policy: policy }), [name()])
    }
  }
})

test('without it the image is refused, to the same project and to another one that has the image on its host', async () => {
  assert.deepEqual(await created({ image: 'team/locked:v1', registry: 'store' }), [name()])
  const [status, text] = await refusal(alice, { image: name() })
  assert.equal(status, 400)
  assert.match(text, /could not be found, or access to it was refused/)
  for (const policy of ['always', 'never']) {
    const [code] = await refusal(bob, { image: name(), image_pull_policy: policy })
    assert.equal(code, 400, policy)
  }
  assert.equal((await refusal(bob, { image: name(), registry: 'store' }))[0], 404)
})

test('a registry’s password goes to no other registry', async () => {
  const other = await registries.start({ login: LOGIN })
  try {
    await other.upload('team/locked', 'v1')
    const [status, text] = await refusal(alice, { image: `${other.domain}/team/locked:v1`, registry: 'store' })
    assert.equal(status, 400)
    assert.match(text, /access to it was refused/)
  } finally {
    await other.stop()
  }
})

test('a rebuild with another image of the registry uses its password too', async () => {
  await locked.upload('team/next', 'v2')
  const { uuid } = await alice.expect<ContainerBody>(202, 'POST', '/v1/containers', {
    body: { image: 'team/locked:v1', registry: 'store' },
  })
  const settled = (found: ContainerBody): boolean => found.status === 'Created' && found.task_state === null
  await alice.waitFor(uuid, settled)
  await alice.expect(202, 'POST', `/v1/containers/${uuid}/rebuild?image=team/next:v2`)
  await alice.waitFor(uuid, (found) => settled(found) && found['image'] === 'team/next:v2')
})

test('the password is on the disk only as it was sealed, and the key apart from it is the owner’s', () => {
  assert.equal(statSync(join(zund.stateDir, 'secret-keys')).mode & 0o777, 0o600)
  for (const file of readdirSync(zund.stateDir)) {
    const path = join(zund.stateDir, file)
    if (statSync(path).isFile()) assert.ok(!readFileSync(path).includes(LOGIN.password), file)
  }
  assert.ok(!zund.output.includes(LOGIN.password))
})

test('keys are changed one after another, and a lost one is told without harm to anything else', async () => {
  const file = join(zund.stateDir, 'secret-keys')
  const restart = async (keys: string): Promise<void> => {
    await zund.stop()
    writeFileSync(file, keys)
    await zund.up()
    alice = await zund.client()
    bob = await memberOf(zund, 'neighbours')
  }
  const first = readFileSync(file, 'utf8')
  const second = `${randomBytes(32).toString('base64')}\n`
  const body = { image: 'team/locked:v1', registry: 'store' }
  await restart(second + first)
  assert.deepEqual(await created(body), [name()])
  // What the old one had sealed is sealed with the new one by now.
  await restart(second)
  assert.deepEqual(await created(body), [name()])

  await restart(first)
  assert.match(zund.log(), /registry passwords without their key/)
  assert.equal((await refusal(alice, body))[0], 500)
  await alice.expect(200, 'GET', '/v1/registries/store')
  await alice.run()
  await alice.expect(200, 'PATCH', '/v1/registries/store', { body: { registry: { password: LOGIN.password } } })
  assert.deepEqual(await created(body), [name()])
})
