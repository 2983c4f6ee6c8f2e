import assert from 'node:assert/strict'
import { it } from 'node:test'
import { EngineFront } from '../support/engine-front.ts'
import { start, type TestRegistry } from '../support/registry.ts'
import { until } from '../support/until.ts'
import { clientTests } from './stage.ts'

interface Image {
  readonly uuid: string
  readonly image_id: string | null
  readonly repo: string
  readonly tag: string
  readonly size: string | null
}

interface Action {
  readonly action: string
  readonly finish_time: string | null
}

const ENGINE = process.env['ZUND_TEST_ENGINE'] ?? ''

/** As the engine hands on what the public registry, which tests do not ask, has found. */
const FOUND = ['demoimage', 'someone/demoimage'].map((name, i) => ({
  name,
  description: `the image ${name}`,
  is_official: i === 0,
  is_automated: false,
  star_count: 12 - i,
}))

const front = new EngineFront(ENGINE, {
  answers: ({ path, query }) => (path === '/images/search' && query.get('term') === 'demoimage' ? FOUND : undefined),
})
let registry: TestRegistry

clientTests(
  'images',
  (stage) => {
    stage.atEnd(async () => registry.stop())
    stage.atEnd(async () => front.close())

    const shown = async (uuid: string): Promise<Image> => await stage.admin.json('appcontainer image show', uuid)

    it('pull fetches an image to a host; list and show have it, and containers are made of it', async () => {
      const { admin, demo } = stage
      const repo = `${registry.domain}/team/tool`
      await registry.upload('team/tool', 'v1')
      const [{ hostname }] = await admin.json<[{ hostname: string }]>('appcontainer host list')
      const asked = await admin.json<Image>(`appcontainer image pull ${repo}:v1 ${hostname}`)
      assert.deepEqual([asked.repo, asked.tag, asked.image_id], [repo, 'v1', null])
      await until('the image is pulled', async () => (await shown(asked.uuid)).image_id !== null)
      const { size, image_id: id } = await shown(asked.uuid)
      assert.match(String(size), /^[1-9]\d+$/)
      const { Id } = await stage.zund.engine.api<{ Id: string }>('GET', `/images/${repo}:v1/json`)
      assert.equal(id, Id)
      const [row] = await admin.json<Image[]>('appcontainer image list')
      assert.deepEqual([row?.uuid, row?.repo, row?.tag, row?.size], [asked.uuid, repo, 'v1', size])
      await demo.ok(`appcontainer create --name tool --image-pull-policy ifnotpresent ${repo}:v1`)
      assert.equal((await stage.inspect(await stage.settled('tool', 'Created'))).Image, Id)
    })

    it('delete takes the image off the host, but not while a container is made of it', async () => {
      const { admin, demo } = stage
      const [row] = await admin.json<Image[]>('appcontainer image list')
      const uuid = row?.uuid ?? ''
      await admin.ok('appcontainer image delete', uuid)
      const tried = (): boolean =>
        front.seen.some(({ method, path }) => method === 'DELETE' && path.startsWith('/images/'))
      await until('it is tried', async () => tried())
      assert.equal((await shown(uuid)).image_id, row?.image_id)
      await stage.zund.engine.api('GET', `/images/${row?.repo}:v1/json`)
      await demo.ok('appcontainer delete tool')
      await stage.api.waitGone('tool')
      assert.match(
        await admin.ok('appcontainer image delete', uuid),
        new RegExp(`Request to delete image ${uuid} has been accepted`),
      )
      await until('it is gone', async () => (await admin.json<Image[]>('appcontainer image list')).length === 0)
      await assert.rejects(stage.zund.engine.api('GET', `/images/${row?.repo}:v1/json`), /404/)
      assert.match(await admin.refused('appcontainer image show', uuid), /could not be found.*\(HTTP 400\)/)
      assert.match(await admin.ok('appcontainer image delete', uuid), /failed: .*\(HTTP 400\)/)
    })

    it('commit makes an image of a container, of which others are made', async () => {
      const { demo } = stage
      await stage.running('origin')
      await demo.ok('appcontainer exec origin', 'sh', '-c', 'echo kept > /kept')
      const said = await demo.ok('appcontainer commit origin snapshot:first')
      assert.match(said, /Request to commit container origin has been accepted. The image is [0-9a-f-]{36}\./)
      await until('the commit is over', async () => {
        const line = '/v1/containers/origin/container_actions'
        const { containerActions } = await stage.api.expect<{ containerActions: Action[] }>(200, 'GET', line)
        return containerActions[0]?.action === 'commit' && containerActions[0].finish_time !== null
      })
      await demo.ok('appcontainer run --name copy --image-pull-policy never snapshot:first cat /kept')
      await stage.settled('copy', 'Stopped')
      assert.equal(await demo.ok('appcontainer logs copy'), 'kept\n\n')
      await demo.ok(`appcontainer create --name fresh ${stage.busybox}`)
      await stage.settled('fresh', 'Created')
      assert.match(await demo.ok('appcontainer commit nobody snapshot'), /Container nobody could not be found/)
      assert.match(await demo.ok('appcontainer commit origin UPPER:first'), /failed: .*\(HTTP 400\)/)
    })

    it('search asks the public registry, and no other', async () => {
      const { demo } = stage
      const all = await demo.json<{ ID: string; Name: string }[]>('appcontainer image search demoimage')
      assert.deepEqual(
        all.map((row) => row.Name),
        FOUND.map(({ name }) => name),
      )
      // Docker's registry has none of the rest but the last.
      assert.deepEqual(Object.keys(all[0] ?? {}), ['ID', 'Name', 'Tags', 'Status', 'Size', 'Metadata'])
      const exact = await demo.json<{ Name: string }[]>('appcontainer image search --exact-match demoimage')
      assert.deepEqual(
        exact.map((row) => row.Name),
        ['demoimage'],
      )
      const elsewhere = await demo.refused(`appcontainer image search ${registry.domain}/team/tool`)
      assert.match(elsewhere, /cannot be searched; only docker.io can. \(HTTP 400\)/)
      assert.match(await demo.refused('appcontainer image search --image-driver glance x'), /glance.*\(HTTP 400\)/)
    })

    it('only an admin pulls, lists, shows and deletes', async () => {
      const { demo } = stage
      const uuid = 'e3b6a5e8-7d4f-4a6b-9c55-0f8d3c0e9a01'
      for (const line of ['pull busybox here', 'list', `show ${uuid}`]) {
        assert.match(await demo.refused(`appcontainer image ${line}`), /\(HTTP 4\d\d\)/)
      }
      assert.match(await demo.ok('appcontainer image delete', uuid), /failed: .*\(HTTP 4\d\d\)/)
      assert.match(await stage.admin.refused('appcontainer image pull busybox nowhere'), /nowhere.*\(HTTP 400\)/)
    })
  },
  async () => {
    await front.open()
    registry = await start()
    return { engineSocket: front.socketPath }
  },
)
