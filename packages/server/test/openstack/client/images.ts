/** Images of Glance, by the client of containers. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { it } from 'node:test'
import type { Stage } from '../../client/stage.ts'
import { until } from '../../support/until.ts'
import type { CloudPlace, Made } from '../support/client-place.ts'

interface Found {
  readonly ID: string
  readonly Name: string
  readonly Tags: readonly string[]
  readonly Status: string
  readonly Size: number
}

interface Pulled {
  readonly uuid: string
  readonly repo: string
  readonly tag: string
  readonly image_id: string | null
  readonly size: string | null
}

interface GlanceImage extends Made {
  readonly name: string
  readonly status: string
  readonly tags: readonly string[]
  readonly owner: string
}

export function imagesTests(stage: Stage, place: CloudPlace): void {
  const search = async (line: string): Promise<Found[]> => await stage.demo.json(`appcontainer image search ${line}`)
  const shown = async (uuid: string): Promise<Pulled> => await stage.admin.json('appcontainer image show', uuid)
  const listed = async (): Promise<Pulled[]> => await stage.admin.json('appcontainer image list')

  const glance = async (id: string): Promise<GlanceImage> =>
    await place.cloud.demo.get<GlanceImage>('image', `/v2/images/${id}`)

  it('search finds those of Glance that the user may see', async () => {
    const [image, ...others] = await search('--exact-match busybox')
    assert.deepEqual(others, [])
    const { size, tags, status } = await place.cloud.demo.get<GlanceImage & { size: number }>(
      'image',
      `/v2/images/${image?.ID}`,
    )
    assert.deepEqual([image?.Name, image?.Size, image?.Tags, image?.Status], ['busybox', size, tags, status])
    assert.deepEqual(await search('--image-driver glance busy'), [image])
    assert.deepEqual(await search('--exact-match busy'), [])
    const { alt } = place.cloud
    const theirs = { name: 'busy-theirs', container_format: 'docker', disk_format: 'raw', visibility: 'private' }
    const { id } = await alt.post<Made>('image', '/v2/images', theirs)
    place.atClear(async () => alt.delete('image', `/v2/images/${id}`))
    assert.deepEqual(await search('busy'), [image])
  })

  it('pull brings one to a host by its name or its id, and delete takes it off again', async () => {
    const { admin } = stage
    const [image] = await search('--exact-match busybox')
    const reference = `zund.local/images/${image?.ID}:latest`
    for (const asked of ['busybox', image?.ID ?? '']) {
      const made = await admin.json<Pulled>(`appcontainer image pull ${asked} ${hostname()}`)
      assert.deepEqual([made.repo, made.tag, made.image_id], [image?.ID, 'latest', null])
      await until('it is pulled', async () => (await shown(made.uuid)).image_id !== null)
      const { image_id: id, size } = await shown(made.uuid)
      const { Id } = await stage.zund.engine.api<{ Id: string }>('GET', `/images/${reference}/json`)
      assert.equal(id, Id)
      const rows = await listed()
      assert.deepEqual(
        rows.map((row) => [row.uuid, row.repo, row.image_id, row.size]),
        [[made.uuid, image?.ID, id, size]],
      )
      const said = await admin.ok('appcontainer image delete', made.uuid)
      assert.match(said, new RegExp(`Request to delete image ${made.uuid} has been accepted`))
      await until('it is gone', async () => (await listed()).length === 0)
      await assert.rejects(stage.zund.engine.api('GET', `/images/${reference}/json`), /404/)
    }
    assert.match(
      await admin.refused(`appcontainer image pull nothing-here ${hostname()}`),
      /nothing-here.*\(HTTP 400\)/,
    )
    assert.match(await stage.demo.refused(`appcontainer image pull busybox ${hostname()}`), /\(HTTP 403\)/)
  })

  it('commit makes one in Glance, which is the project’s and of which others are made', async () => {
    const { demo } = stage
    await stage.running('origin')
    await demo.ok('appcontainer exec origin', 'sh', '-c', 'echo kept > /kept')
    const said = await demo.ok('appcontainer commit origin zund-client:first')
    const id = /The image is ([0-9a-f-]{36})\./.exec(said)?.[1] ?? ''
    place.atClear(async () => place.cloud.demo.delete('image', `/v2/images/${id}`))
    await until('it is whole', async () => (await glance(id)).status === 'active')
    const { name, tags, owner } = await glance(id)
    assert.deepEqual([name, tags, owner], ['zund-client', ['first'], place.cloud.demo.projectId])
    assert.deepEqual(
      (await search('zund-client')).map((row) => row.ID),
      [id],
    )
    await demo.ok('appcontainer run --name copy --image-driver glance zund-client:first cat /kept')
    await stage.settled('copy', 'Stopped')
    assert.equal(await demo.ok('appcontainer logs copy'), 'kept\n\n')
    assert.equal((await stage.settled('origin', 'Running')).status_reason, null)
    assert.match(await demo.ok('appcontainer commit nobody zund-client'), /Container nobody could not be found/)
  })

  it('a container is rebuilt with another image of Glance', async () => {
    const { demo } = stage
    assert.match(
      await demo.refused('appcontainer run --image-driver glance no-such-image'),
      /no-such-image could not be found.*\(HTTP 400\)/,
    )
    await demo.ok('appcontainer rebuild --image zund-client:first --image-driver glance origin')
    await stage.settled('origin', 'Running')
    const shownImage = await demo.json<{ image: string }>('appcontainer show origin')
    assert.equal(shownImage.image, 'zund-client:first')
    assert.equal(await demo.ok('appcontainer exec origin cat /kept'), 'kept\n\n')
  })
}
