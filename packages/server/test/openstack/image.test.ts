/** Images of the image service from the request to the container. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { cloudTests } from './support/cloud-stage.ts'
import type { CloudUser } from './support/cloud-user.ts'

async function upload(user: CloudUser, fields: object, data: Buffer): Promise<string> {
  const body = { container_format: 'docker', disk_format: 'raw', visibility: 'private', ...fields }
  const { id } = await user.post<{ id: string }>('image', '/v2/images', body)
  const answer = await fetch(`${user.endpoint('image')}/v2/images/${id}/file`, {
    method: 'PUT',
    headers: { 'x-auth-token': user.token, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(data),
  })
  assert.equal(answer.status, 204)
  return id
}

cloudTests('images of the cloud', (stage) => {
  it('run by name and by id, and are told as what was asked for', async () => {
    const api = stage.api()
    const byName = await stage.running()
    const [found] = await api.expect<{ id: string; name: string; container_format: string }[]>(
      200,
      'GET',
      '/v1/images/busybox/search?image_driver=glance&exact_match=true',
    )
    assert.deepEqual([found?.name, found?.container_format], ['busybox', 'docker'])
    const byId = await stage.running({ image: found?.id })
    assert.deepEqual([byName.image, byName['image_driver'], byId.image], ['busybox', 'glance', found?.id])
    for (const { uuid } of [byName, byId]) await api.delete(uuid)
  })

  it("are made of a container, are its project's, and can be run", async () => {
    const { demo } = stage
    const api = stage.api()
    const first = await stage.running({ name: 'to-commit' })
    const execute = async (uuid: string, command: string): Promise<string> => {
      const path = `/v1/containers/${uuid}/execute?${new URLSearchParams({ command }).toString()}`
      return (await api.expect<{ output: string }>(200, 'POST', path)).output
    }
    await execute(first.uuid, 'sh -c "echo made > /made"')
    const { uuid: id } = await api.expect<{ uuid: string }>(
      202,
      'POST',
      `/v1/containers/${first.uuid}/commit?repository=zund-snapshot&tag=v1`,
    )
    const image = async () =>
      await demo.get<{ status: string; owner: string; tags: string[]; container_format: string; name: string }>(
        'image',
        `/v2/images/${id}`,
      )
    await until('the image is whole', async () => (await image()).status === 'active')
    const { owner, tags, container_format: format, name } = await image()
    assert.deepEqual([owner, tags, format, name], [demo.projectId, ['v1'], 'docker', 'zund-snapshot'])
    assert.equal((await api.show(first.uuid)).status, 'Running')
    const copy = await stage.running({ image: 'zund-snapshot:v1' })
    assert.match(await execute(copy.uuid, 'cat /made'), /^made/)
    for (const { uuid } of [first, copy]) await api.delete(uuid)
    await demo.delete('image', `/v2/images/${id}`)
  })

  it('that cannot be run, or are of others, are refused before anything is recorded', async () => {
    const { demo, alt } = stage
    const api = stage.api()
    const bare = await upload(demo, { name: 'zund-bare', container_format: 'bare' }, Buffer.from('data'))
    const theirs = await upload(alt, { name: 'zund-theirs' }, Buffer.from('data'))
    const rows: readonly [string, RegExp][] = [
      ['zund-bare', /container format is bare/],
      [theirs, /could not be found/],
      ['zund-theirs', /could not be found/],
      ['no such image', /no such image could not be found/],
    ]
    for (const [image, text] of rows) {
      const answer = await api.call('POST', '/v1/containers', { body: { image, image_driver: 'glance' } })
      assert.equal(answer.status, 400, answer.text)
      assert.match(answer.text, text)
    }
    const { containers } = await api.expect<{ containers: ContainerBody[] }>(200, 'GET', '/v1/containers')
    assert.deepEqual(containers, [])
    await demo.delete('image', `/v2/images/${bare}`)
    await alt.delete('image', `/v2/images/${theirs}`)
  })

  it('that are deleted while they come end in Error with the reason, and nothing of them stays', async () => {
    const { demo } = stage
    const api = stage.api()
    const id = await upload(demo, { name: 'zund-fleeting' }, Buffer.alloc(50_000, 'text'))
    const front = stage.region.front('glance')
    const isCut = front.cutAt(/^GET .*\/file$/, 'after')
    const { uuid } = await api.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
      body: { image: 'zund-fleeting', image_driver: 'glance' },
    })
    await isCut
    await demo.delete('image', `/v2/images/${id}`)
    front.restore()
    await until('it ends in Error', async () => (await api.show(uuid)).status === 'Error')
    const reason = (await api.show(uuid)).status_reason
    assert.equal(reason, `image zund-fleeting (${id}) is not in the image service any more`)
    await api.delete(uuid)
  })

  it('that are no archive end in Error with the reason, and nothing of them stays', async () => {
    const { demo } = stage
    const api = stage.api()
    const id = await upload(demo, { name: 'zund-text' }, Buffer.alloc(50_000, 'text'))
    const { uuid } = await api.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
      body: { image: 'zund-text', image_driver: 'glance' },
    })
    await until('it ends in Error', async () => (await api.show(uuid)).status === 'Error')
    assert.match((await api.show(uuid)).status_reason ?? '', new RegExp(`zund-text \\(${id}\\) cannot be loaded`))
    await api.delete(uuid)
    await demo.delete('image', `/v2/images/${id}`)
  })
})
