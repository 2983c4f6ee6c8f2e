/** admin-resources 4: what becomes of the name of an image to pull, and versions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeImageService } from '../../src/adapters/fake/fake-image-service.ts'
import { HOST, ImageApi } from '../support/image-api.ts'
import { until } from '../support/until.ts'

test('a name is pulled by the default driver, the uuid of an image of the service by its own', async (t) => {
  const id = '7d0a3b52-6c1f-4a55-9d0e-2f7c1b6a8e11'
  const resolve = async (): Promise<{ readonly id: string }> => ({ id })
  for (const [defaultDriver, repo, shown] of [
    ['docker', 'busybox:1', 'busybox'],
    ['docker', id, id],
    ['glance', 'busybox:1', id],
    ['glance', id, id],
  ] as const) {
    const imageService = Object.assign(new FakeImageService(() => false), { resolve })
    const api = await ImageApi.start({ imageService, defaultDriver })
    t.after(() => api.stop())
    await api.work()
    const { status, body } = await api.call('POST', '/v1/images', { body: { repo, host: HOST } })
    assert.deepEqual([status, body['repo']], [202, shown], `${defaultDriver} ${repo}`)
    await until('it is asked for', async () => api.host.pulls.length === 1)
    assert.equal(api.host.pulls[0]?.spec.imageDriver, shown === id ? 'glance' : 'docker')
  }
})

test('a name without a registry is pulled from the one that is configured as default', async (t) => {
  const api = await ImageApi.start({ defaultRegistry: 'r.example:5000' })
  t.after(() => api.stop())
  await api.work()
  const rows = [
    ['team/app', 'r.example:5000/team/app', 'latest', 'r.example:5000/team/app:latest'],
    ['docker.io/library/nginx:1', 'nginx', '1', 'docker.io/library/nginx:1'],
  ] as const
  for (const [repo, shown, tag, asked] of rows) {
    const { status, body } = await api.call('POST', '/v1/images', { body: { repo, host: HOST } })
    assert.deepEqual([status, body['repo'], body['tag']], [202, shown, tag], repo)
    await until('it is asked for', async () => api.host.pulls.some(({ spec }) => spec.image === asked))
  }
})
