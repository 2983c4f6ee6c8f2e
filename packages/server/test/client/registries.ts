import assert from 'node:assert/strict'
import { before, it } from 'node:test'
import type { ContainerBody } from '../support/api-client.ts'
import { start, type TestRegistry } from '../support/registry.ts'
import { until } from '../support/until.ts'
import type { Stage } from './stage.ts'

interface Registry {
  readonly uuid: string
  readonly name: string
  readonly domain: string
  readonly username: string
  readonly password: string
}

const LOGIN = { username: 'puller', password: 'pull-me' }

export function registriesTests(stage: Stage): void {
  let server: TestRegistry
  before(async () => {
    server = await start({ login: LOGIN })
    stage.atEnd(async () => server.stop())
  })

  it('create, show and list, and the password is stars', async () => {
    const { demo } = stage
    const options = `--name mine --domain ${server.domain} --username ${LOGIN.username} --password wrong`
    const made = await demo.json<Registry>(`appcontainer registry create ${options}`)
    assert.deepEqual(
      [made.name, made.domain, made.username, made.password],
      ['mine', server.domain, LOGIN.username, '***'],
    )
    for (const ident of ['mine', made.uuid]) {
      assert.deepEqual(await demo.json<Registry>(`appcontainer registry show ${ident}`), made)
    }
    const { uuid, name, domain, username, password } = made
    assert.deepEqual(await demo.json('appcontainer registry list'), [{ uuid, name, domain, username, password }])
    assert.deepEqual(await demo.json('appcontainer registry list --name other'), [])
  })

  it('update changes what is given, and a container is pulled with the new password', async () => {
    const { demo, zund } = stage
    await server.upload('team/locked', 'v1')
    const create = 'appcontainer create --registry mine --image-driver docker --name locked team/locked:v1'
    assert.match(await demo.refused(create), /could not be found, or access to it was refused.*\(HTTP 400\)/)
    const updated = await demo.json<Registry>(`appcontainer registry update --password ${LOGIN.password} mine`)
    assert.deepEqual([updated.name, updated.username, updated.password], ['mine', LOGIN.username, '***'])
    const { registry_id: id } = await demo.json<ContainerBody>(create)
    assert.equal(id, updated.uuid)
    const { Image } = await stage.inspect(await stage.settled('locked', 'Created'))
    const { RepoTags } = await zund.engine.api<{ RepoTags: string[] }>('GET', `/images/${Image}/json`)
    assert.deepEqual(RepoTags, [`${server.domain}/team/locked:v1`])
  })

  it('another project has none of it, an admin sees all', async () => {
    const { demo, admin } = stage
    assert.deepEqual(await admin.json('appcontainer registry list'), [])
    const all = await admin.json<Registry[]>('appcontainer registry list --all-projects')
    assert.deepEqual(
      all.map(({ name, password }) => [name, password]),
      [['mine', '***']],
    )
    assert.match(
      await admin.refused('appcontainer create --registry mine --image-driver docker busybox'),
      /Registry mine.*\(HTTP 404\)/,
    )
    assert.match(await demo.refused('appcontainer registry list --all-projects'), /Policy doesn't .*\(HTTP 403\)/)
  })

  it('delete works as soon as no container was made with it', async () => {
    const { demo, zund } = stage
    assert.match(
      await demo.ok('appcontainer registry delete mine'),
      /Delete for registry mine failed: Registry \S+ is in use by a container. \(HTTP 409\)/,
    )
    await demo.ok('appcontainer delete locked')
    await until('it is gone', async () => (await demo.json<unknown[]>('appcontainer list')).length === 0)
    assert.match(
      await demo.ok('appcontainer registry delete mine'),
      /Request to delete registry mine has been accepted/,
    )
    assert.match(
      await demo.refused('appcontainer registry show mine'),
      /Registry mine could not be found.*\(HTTP 404\)/,
    )
    assert.match(await demo.refused('appcontainer registry update --name x2 mine'), /Registry mine.*\(HTTP 404\)/)
    assert.match(
      await demo.ok('appcontainer registry delete mine'),
      /failed: Registry mine could not be .*\(HTTP 404\)/,
    )
    await zund.engine.api('DELETE', `/images/${server.domain}/team/locked:v1`)
    assert.ok(!zund.log().includes(LOGIN.password))
  })

  it('what the service refuses is said', async () => {
    const { demo } = stage
    assert.match(
      await demo.refused('appcontainer registry create --domain https://r.example'),
      /'domain'.*It cannot stand before the name of an image.*\(HTTP 400\)/,
    )
  })
}
